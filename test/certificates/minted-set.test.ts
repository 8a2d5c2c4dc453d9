import { filesOf } from '../../lambdas/certificates/archive';
import type { Files } from '../../lambdas/certificates/archive';
import { mintSet } from '../../lambdas/certificates/minted-set';
import { signingFor } from '../../lambdas/certificates/signing-authorities';
import type { SigningAuthorities } from '../../lambdas/certificates/signing-authorities';
import { AUTHORITY_FILES, AuthorityName } from '../../lambdas/contract/certificate-names';
import type { AuthoritySecret, NodeSetSecret } from '../../lambdas/contract/certificates';
import { advanceTo, mintNext } from '../../lambdas/authorities/generations';
import { parseBundle, printBundle } from '../../lambdas/pki/bundle';
import { crossSign } from '../../lambdas/pki/issue';
import { inspect } from '../../lambdas/pki/inspect';
import { NOW, authority } from '../pki/pki-world';
import { adopted } from '../exchange/exchange-world';
import { toldNode } from './told-nodes';
import type { NodeChange } from './told-nodes';

const CLUSTER = {
  dnsDomain: 'cluster.local',
  apiNames: ['api.example.com'],
  etcdServerNames: [],
  etcdPeerNames: [],
  everythingIsKnown: true,
};
const step = { rotation: 'r-1', now: NOW };

/** An exchange of it in the state in which the next generation signs. */
function issuing(name: AuthorityName): AuthoritySecret {
  const document = adopted(name);
  const [old] = document.generations;
  const next = authority(name, 2);
  const cross = crossSign(next, { cert: old!.certificate, key: old!.key! }, { now: NOW }).cert;
  const begun = mintNext(
    document,
    { certificate: next.cert, key: next.key, cross },
    { id: 'r-1', mode: 'planned', now: NOW, canary: 'master-9' },
  );
  return (['TRUSTED', 'ISSUING'] as const).reduce((each, state) => advanceTo(each, state, step), begun);
}

const signing = (...documents: AuthoritySecret[]): SigningAuthorities =>
  Object.fromEntries(documents.map((document) => [document.authority, signingFor(document, 'master-1')]));

/** A node with one leaf of the authority, and none of the others: each has a key of its own, and they take long. */
async function mint(authorities: SigningAuthorities, facts: NodeChange['facts'] = {}): Promise<{ set: NodeSetSecret; files: Files }> {
  const node = toldNode(1, {
    leaves: new Map(),
    facts: { apiserver: null, ...facts },
    kubeconfigs: new Map([['scheduler.conf', { server: 'https://10.0.0.1:6443', trusts: [] }]]),
  });
  const etcd = { ...node.facts.etcd, clientUrls: [], peerUrls: [] };
  const bare = {
    ...node,
    leaves: new Map([['scheduler.conf', 'unparsable'] as const, ['etcd/server', 'unparsable'] as const]),
    facts: { ...node.facts, etcd },
  };
  const set = await mintSet({ node: bare, cluster: CLUSTER, authorities, leafValidityDays: 90, now: NOW });
  return { set, files: await filesOf(set.archive, 'the set') };
}
const ofAuthorities = (files: Files) =>
  [...files.keys()].filter((path) => /(^|\/)(ca|front-proxy-ca)\.(crt|key)$|^restarts$/.test(path)).sort();
const SPLIT = { controllerManager: { running: true, signingCertFile: '/etc/kubernetes/pki/signer/ca.crt', rootCaFile: null } };

describe('the set of a node', () => {
  test('has nothing of authorities that were never exchanged: kubeadm put them there', async () => {
    const { set, files } = await mint(signing(...AuthorityName.options.map(adopted)), SPLIT);

    expect(ofAuthorities(files)).toEqual([]);
    expect(Object.keys(set.stamps ?? {})).toEqual(AuthorityName.options);
    expect(parseBundle(files.get('pki/etcd/server.crt')!)).toHaveLength(1);
  });

  test('has the chain after each leaf and in what it tells of itself the leaf alone, and trusts both everywhere', async () => {
    const { etcd, cluster } = { etcd: issuing('etcd'), cluster: issuing('cluster') };
    const { set, files } = await mint(signing(cluster, etcd));

    const [leaf, ...chain] = parseBundle(files.get('pki/etcd/server.crt')!);
    expect(chain).toEqual([etcd.generations[1]?.cross]);
    expect(set.certificates.find((each) => each.leaf === 'etcd/server')?.sha256).toBe(inspect(leaf!).sha256);
    const both = printBundle([cluster.generations[1]!.certificate, cluster.generations[0]!.certificate]);
    expect(files.get('kubeconfigs/scheduler.conf')).toContain(Buffer.from(both).toString('base64'));
    expect(set.trusted.cluster).toBe(both);
    expect(set.stamps).toEqual({ cluster: signingFor(cluster, 'master-1')?.stamp, etcd: signingFor(etcd, 'master-1')?.stamp });
  });

  test.each<[AuthorityName, string]>([
    ['cluster', 'pki/ca'],
    ['etcd', 'pki/etcd/ca'],
    ['front-proxy', 'pki/front-proxy-ca'],
  ])('has what is trusted of %s once it is exchanged, and its key only where the node has keys of authorities', async (name, file) => {
    const document = issuing(name);
    // Something has to be signed, whatever the authority.
    const all = signing(...AuthorityName.options.map((each) => (each === name ? document : adopted(each))));
    const none = { cluster: false, etcd: false, frontProxy: false, serviceAccounts: false };

    const first = (await mint(all)).files;
    const joined = (await mint(all, { authorityKeys: none })).files;

    expect(AUTHORITY_FILES[name]).toBe(file.slice('pki/'.length));
    expect(ofAuthorities(first)).toEqual([`${file}.crt`, `${file}.key`]);
    expect(first.get(`${file}.key`)).toBe(document.generations[1]?.key);
    expect(ofAuthorities(joined)).toEqual([`${file}.crt`]);
    expect(joined.get(`${file}.crt`)).toBe(printBundle(document.generations.map(({ certificate }) => certificate).reverse()));
  });

  test('has one authority for the signer, with its key, where that was split and nowhere else', async () => {
    const document = issuing('cluster');
    const { files } = await mint(signing(document), SPLIT);

    expect(ofAuthorities(files)).toEqual(['pki/ca.crt', 'pki/ca.key', 'pki/signer/ca.crt', 'pki/signer/ca.key']);
    expect([files.get('pki/signer/ca.crt'), files.get('pki/signer/ca.key')]).toEqual([
      document.generations[1]?.certificate,
      document.generations[1]?.key,
    ]);
    expect(
      ofAuthorities(
        (
          await mint(signing(document), {
            controllerManager: { ...SPLIT.controllerManager, signingCertFile: '/etc/kubernetes/pki/ca.crt' },
          })
        ).files,
      ),
    ).toEqual(['pki/ca.crt', 'pki/ca.key']);
  });

  test('names who is started again, one a line, once', async () => {
    const { etcd } = signing(issuing('etcd'));
    const { cluster } = signing(issuing('cluster'));
    const files = (await mint({ etcd: { ...etcd!, restarts: ['etcd', 'apiserver'] }, cluster: { ...cluster!, restarts: ['apiserver'] } }))
      .files;

    expect(files.get('restarts')?.split('\n').sort()).toEqual(['', 'apiserver', 'etcd']);
    expect((await mint(signing(issuing('etcd')))).files.has('restarts')).toBe(false);
  });
});
