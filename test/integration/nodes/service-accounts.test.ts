import { generateKeyPairSync } from 'node:crypto';
import type { LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import { packSet } from '../../../local/nodes/certificate-set';
import { CertificateFacts } from '../../../lambdas/contract/node-certificates';
import { publicKeyId } from '../../../lambdas/accounts/key-id';
import { toldNodeOf } from '../../../lambdas/certificates/told-node';
import { CertifiedNode } from './certified-node';

// Sets that exchange the key pair of service accounts, on a node whose API server and managers only pretend.
jest.setTimeout(240_000);

let nodes: LocalNodes;
let on: CertifiedNode;
beforeAll(async () => {
  nodes = await startLocalNodes({ certificates: 'whole' });
  on = new CertifiedNode(nodes.nodes[0]!);
});
afterAll(() => nodes.stop());

interface Pair {
  readonly publicKey: string;
  readonly privateKey: string;
}
const [next, other] = [0, 1].map((): Pair =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  }),
) as [Pair, Pair];
const old = (): Pair => nodes.authorities.serviceAccounts;
const pids = () => [on.node.pid('kube-apiserver'), on.node.pid('kube-controller-manager'), on.node.pid('kube-scheduler')];
const facts = async () => CertificateFacts.parse(await on.do('certificate-facts'));

test('both keys verify, the next one signs, the old one is dropped: what reads them is started again, and nothing else', async () => {
  const both = { 'pki/sa.pub': old().publicKey + next.publicKey };
  const before = pids();
  const verifying = await on.install(packSet(both));
  expect(verifying).toMatchObject({ changed: ['sa'], restarted: ['kube-apiserver'] });
  const then = pids();
  expect(then.map((pid, index) => pid === before[index])).toEqual([false, true, true]);

  const signing = await on.install(packSet({ 'pki/sa.key': next.privateKey, 'pki/sa.pub': next.publicKey + old().publicKey }));
  expect(signing).toMatchObject({ changed: ['sa'], restarted: ['kube-apiserver', 'kube-controller-manager'] });
  const seen = await facts();
  const { serviceAccounts } = await toldNodeOf({ instanceId: on.node.instanceId, host: on.node.name }, seen);
  expect(serviceAccounts?.keys).toEqual([publicKeyId(next.publicKey), publicKeyId(old().publicKey)]);
  expect(seen.authorityKeys.serviceAccounts).toBe(true);
  expect(seen.accountFiles).toEqual({ apiserver: true, controllerManager: true });
  const apiserver = seen.processes.find(({ component }) => component === 'apiserver');
  expect(apiserver!.startedAt).toBeGreaterThan(seen.written['sa.pub'] ?? Infinity);
  expect(seen.written['sa.key']).toBeGreaterThan(0);

  const version = on.offer(packSet({ 'pki/sa.key': next.privateKey, 'pki/sa.pub': next.publicKey }));
  expect(await on.do('install-certificates', { ...version, waitSeconds: '60' })).toMatchObject({ restarted: ['kube-apiserver'] });
  expect(on.read('pki/sa.pub')).toBe(next.publicKey);

  const back = await on.do('previous-certificates', { ...version, waitSeconds: '60' });
  expect(back).toMatchObject({ was: 'installed', restarted: ['kube-apiserver'] });
  expect(on.read('pki/sa.pub')).toBe(next.publicKey + old().publicKey);
});

test('a set that leaves them as they are starts nobody', async () => {
  const before = pids();

  expect(await on.install(packSet({ 'pki/sa.key': on.read('pki/sa.key'), 'pki/sa.pub': on.read('pki/sa.pub') }))).toMatchObject({
    changed: [],
    restarted: [],
  });
  expect(pids()).toEqual(before);
});

test.each<readonly [string, () => Record<string, string>, string]>([
  [
    'a key that is not that of the first public one',
    () => ({ 'pki/sa.key': other.privateKey, 'pki/sa.pub': next.publicKey }),
    'not that of',
  ],
  ['a key without what verifies it', () => ({ 'pki/sa.key': next.privateKey }), 'without sa.pub'],
  ['public keys among which is not that of the node', () => ({ 'pki/sa.pub': other.publicKey }), 'this node signs tokens by'],
  [
    'what is no public key',
    () => ({ 'pki/sa.pub': `${next.publicKey}-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n` }),
    'something else',
  ],
])('%s is refused, and nothing is touched', async (_what, files, because) => {
  const before = on.tree();

  expect(await on.refusal('install-certificates', on.offer(packSet(files())))).toMatchObject({
    error: 'SetUnfit',
    message: expect.stringContaining(because) as string,
  });
  expect(on.tree()).toEqual(before);
});
