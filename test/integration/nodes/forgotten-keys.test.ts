import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { newAuthority } from '../../../lambdas/pki/issue';
import type { LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import { packSet } from '../../../local/nodes/certificate-set';
import type { SetFiles } from '../../../local/nodes/certificate-set';
import { CertifiedNode } from './certified-node';

// Keys of what a node distrusts are not kept for a way back that nobody may take. As after a compromise, where no set comes after that which distrusts.
jest.setTimeout(240_000);

let nodes: LocalNodes;
let on: CertifiedNode;
beforeAll(async () => {
  nodes = await startLocalNodes({ count: 1, certificates: 'whole' });
  on = new CertifiedNode(nodes.nodes[0]!);
});
afterAll(() => nodes.stop());

const now = new Date();
const next = newAuthority('front-proxy', { generation: 2, notAfter: new Date(now.getTime() + 86_400_000 * 300), now });
const folder = () => path.join(on.node.tree.stateDir, 'certificates');
/** Files of records that have this text in them. */
const keptWith = (text: string): string[] =>
  readdirSync(folder(), { recursive: true, encoding: 'utf8' }).filter((name) => {
    const file = path.join(folder(), name);
    return execFileSync('bash', ['-c', 'if [ -f "$0" ]; then cat -- "$0"; fi', file], { encoding: 'utf8' }).includes(text.trim());
  });
const install = (files: SetFiles) => {
  const version = on.offer(packSet(files));
  return { version, done: on.do('install-certificates', { ...version, waitSeconds: '60' }) };
};

test('the key of an authority goes when the first set distrusts it, and the way back of that set stays', async () => {
  const old = { cert: on.read('pki/front-proxy-ca.crt'), key: on.read('pki/front-proxy-ca.key') };
  const leaves = on.node.issuer.files({
    leaves: ['front-proxy-client'],
    kubeconfigs: [],
    authorities: { ...nodes.authorities, frontProxy: next },
  });
  await install({ 'pki/front-proxy-ca.crt': old.cert + next.cert }).done;
  await install({ ...leaves, 'pki/front-proxy-ca.crt': next.cert + old.cert, 'pki/front-proxy-ca.key': next.key }).done;
  expect(keptWith(old.key)).toHaveLength(1);

  const { version, done } = install({ 'pki/front-proxy-ca.crt': next.cert, 'pki/front-proxy-ca.key': next.key });
  await done;

  expect(keptWith(old.key)).toEqual([]);
  expect(on.read('pki/front-proxy-ca.key')).toBe(next.key);
  expect(await on.do('previous-certificates', version)).toMatchObject({ was: 'installed' });
  expect(on.read('pki/front-proxy-ca.crt')).toBe(next.cert + old.cert);
});

test('the key of service accounts goes when no API server verifies by it any more', async () => {
  const [key, publicKey] = [on.read('pki/sa.key'), on.read('pki/sa.pub')];
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  await install({ 'pki/sa.key': pair.privateKey, 'pki/sa.pub': pair.publicKey + publicKey }).done;
  expect(keptWith(key)).toHaveLength(1);

  await install({ 'pki/sa.key': pair.privateKey, 'pki/sa.pub': pair.publicKey }).done;

  expect(keptWith(key)).toEqual([]);
});
