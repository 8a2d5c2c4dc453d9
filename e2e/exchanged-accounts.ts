import { z } from 'zod';
import { idOfKid, publicKeyId } from '../lambdas/accounts/key-id';
import { accountKeysOf } from '../lambdas/accounts/verifying';
import type { ServiceAccountsSecret } from '../lambdas/contract/certificates';
import { kidOf } from '../lambdas/exchange/look-at-accounts';
import type { Kubectl } from '../local/kubectl';
import type { Narrator } from '../local/narrator';
import { fileOf } from './exchanged';
import type { World } from './world';

const Keys = z.object({ keys: z.array(z.object({ kid: z.string() })) });

/** The keys in a file of public keys, as their generations are called. */
const idsInFile = (pem: string): string =>
  (pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? []).map(publicKeyId).join();

/** The key by which a token was signed, as its generation is called. */
export const keyOf = (token: string): string => idOfKid(kidOf(token) ?? '');

/** By which key one API server signs at this moment. */
export const signsBy = async (apiserver: Kubectl): Promise<string> =>
  keyOf((await apiserver.run(['create', 'token', 'default', '--namespace', 'kube-system'])).trim());

/** Every node has the pair that signs alone, and every API server verifies and signs by it and by no other. */
export async function checkAccounts(narrator: Narrator, { nodes, eachApiserver }: World, document: ServiceAccountsSecret): Promise<void> {
  const wanted = accountKeysOf(document)?.ids.join();
  narrator.check('the secret has one pair that is in use', wanted, document.issuing);
  for (const node of nodes.nodes) {
    narrator.check(`sa.pub of ${node.name} has its key alone`, idsInFile(fileOf(node, 'pki/sa.pub')), wanted);
    narrator.check(`sa.key of ${node.name} is that of it`, publicKeyId(fileOf(node, 'pki/sa.key')), wanted);
  }
  for (const { name, kubectl } of eachApiserver) {
    const { keys } = Keys.parse(JSON.parse(await kubectl.run(['get', '--raw', '/openid/v1/jwks'])));
    narrator.check(`the API server of ${name} verifies by it alone`, keys.map(({ kid }) => idOfKid(kid)).join(), wanted);
    narrator.check(`the API server of ${name} signs by it`, await signsBy(kubectl), wanted);
  }
}
