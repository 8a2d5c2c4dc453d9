import { isDeepStrictEqual } from 'node:util';
import type { AuthoritySecret, ServiceAccountsSecret } from '../lambdas/contract/certificates';
import { isSignedBy } from '../lambdas/pki/signed-by';
import { waitUntil } from '../local/child-process';
import type { LocalNode } from '../local/nodes';
import type { Narrator } from '../local/narrator';
import { chainServedAt, checkAuthentication, checkCluster, checkMembers, fileOf, idsIn, publishedOtherwise, signerOf } from './exchanged';
import { checkAccounts } from './exchanged-accounts';
import type { World } from './world';

type Noted = AuthoritySecret | ServiceAccountsSecret;

/** kube-controller-manager publishes 17 s after its start, and three are started one after the other. */
const PUBLISHED_WITHIN_MS = 90_000;

/**
 * Everything of an authority, or of the key pair of service accounts, is as it was before an exchange that was turned back.
 *
 * @param given whether nodes were given anything: the cross certificate of an exchange before it goes by that
 */
export async function checkTurnedBack(narrator: Narrator, world: World, before: Noted, after: Noted, given: boolean): Promise<void> {
  // Neither is shown: both hold the key.
  narrator.check('what is noted of it is as before', isDeepStrictEqual(withoutNotes(after), withoutNotes(before)), true);
  if ('authority' in after) narrator.check('it is noted who turned it back', after.turnedBack?.by, 'e2e');
  if (!('authority' in before)) return checkAccounts(narrator, world, before);
  const signer = signerOf(before);
  const { nodes, kubectl } = world;
  const stray = (what: string, is: (node: LocalNode) => boolean): void => {
    const others = nodes.nodes.filter((node) => !is(node)).map(({ name }) => name);
    narrator.check(what, others.join(), '');
  };
  switch (before.authority) {
    case 'etcd':
      await checkMembers(narrator, world, signer, given ? false : undefined);
      stray('every API server is a client of etcd by it', (node) => isSignedBy(fileOf(node, 'pki/apiserver-etcd-client.crt'), signer.cert));
      return;
    case 'front-proxy':
      await checkAuthentication(narrator, world, 'requestheader-client-ca-file', signer);
      stray('every node trusts that root of the front proxy alone', (node) => idsIn(fileOf(node, 'pki/front-proxy-ca.crt')) === signer.id);
      stray('every API server is a front proxy by it', (node) => isSignedBy(fileOf(node, 'pki/front-proxy-client.crt'), signer.cert));
      return;
    case 'cluster': {
      const began = Date.now();
      await waitUntil(
        'pods are given the root that signs alone',
        PUBLISHED_WITHIN_MS,
        async () => (await publishedOtherwise(kubectl, signer.id)).others.length === 0,
        500,
      ).catch(() => undefined);
      narrator.say(`      pods have the root that signs alone ${((Date.now() - began) / 1_000).toFixed(1)} s later`);
      await checkCluster(narrator, world, signer);
      await checkAuthentication(narrator, world, 'client-ca-file', signer);
      for (const { name, apiUrl } of given ? nodes.nodes : [])
        narrator.check(`${name} serves its leaf without a cross certificate`, (await chainServedAt(apiUrl)).length, 1);
      stray('every node trusts that root of the cluster alone', (node) => idsIn(fileOf(node, 'pki/ca.crt')) === signer.id);
    }
  }
}

/** What signs has a note of that once there was another one, where it had none; and who turned the last one back is noted. */
const withoutNotes = ({ generations, ...document }: Noted) => ({
  ...document,
  turnedBack: undefined,
  generations: generations.map(({ state: _, ...generation }) => generation),
});
