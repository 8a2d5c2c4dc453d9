import { X509Certificate, createHash } from 'node:crypto';
import { statSync, writeFileSync } from 'node:fs';
import { waitUntil } from '../../../local/child-process';
import { createAuthority } from '../../../local/etcd/certificates';
import type { LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import { SignerNode } from './signer-world';

// The controller-manager only pretends; as the real one it ends at its start when what it signs by is not one certificate.
jest.setTimeout(180_000);

let nodes: LocalNodes;
let on: SignerNode;
beforeAll(async () => {
  nodes = await startLocalNodes({ count: 1, certificates: 'whole' });
  on = new SignerNode(nodes.nodes[0]!);
});
beforeEach(() => on.reset());
afterAll(() => nodes.stop());

const OWN = 'pki/signer/ca.crt';
const sha256 = (pem: string): string => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
const own = () => ({ certFile: on.file(OWN), keyFile: on.file('pki/signer/ca.key'), sha256: sha256(on.read(OWN)) });
const bundle = (): string => createAuthority('kubernetes').cert + on.read('pki/ca.crt');
const othersRun = () => (['etcd', 'kube-apiserver', 'kube-scheduler'] as const).map((pod) => on.node.pid(pod));

test('the signer gets files of its own, and nothing but its two flags is changed', async () => {
  const { tree, visible, others } = { tree: on.tree(), visible: on.visibleManifests(), others: othersRun() };

  const outcome = await on.run('split-signer');

  expect(outcome.result).toMatchObject({ ok: true, was: 'shared', signer: own(), restarted: ['kube-controller-manager'] });
  expect(on.tree()).toEqual({ ...tree, 'pki/signer/ca.crt': tree['pki/ca.crt'], 'pki/signer/ca.key': tree['pki/ca.key'] });
  expect(statSync(on.file('pki/signer')).mode).toBe(statSync(on.file('pki')).mode);
  expect(on.visibleManifests()).toEqual({ ...visible, 'kube-controller-manager.yaml': on.splitManifest });
  expect(statSync(on.manifestFile).mode & 0o777).toBe(0o600);
  expect(on.signingFile()).toBe(on.file(OWN));
  expect(othersRun()).toEqual(others);
  expect(on.leftovers()).toEqual([]);
  expect(outcome.stdout + outcome.stderr).not.toContain('PRIVATE KEY');
});

test('then pki/ca.crt may hold two authorities, which would have ended it before', async () => {
  const refused = () => on.managerLog().split('expected 1 certificate, found 2').length;
  const two = bundle();
  const before = refused();
  writeFileSync(on.file('pki/ca.crt'), two);
  await on.endManager();
  await waitUntil('it refuses to start', 10_000, () => Promise.resolve(refused() > before));
  await on.reset();
  await on.do('split-signer');
  const after = refused();
  writeFileSync(on.file('pki/ca.crt'), two);

  await on.endManager();

  await on.managerStays();
  expect(on.signingFile()).toBe(on.file(OWN));
  expect(refused()).toBe(after);
});

test('again it finds that, and changes and restarts nothing', async () => {
  await on.do('split-signer');
  const before = on.everything();

  expect(await on.do('split-signer')).toMatchObject({ was: 'own', signer: own(), restarted: [] });
  expect(on.everything()).toEqual(before);
});

test('a node that joined with the flags of kubeadm-config gets the files that kubeadm knows nothing of', async () => {
  on.writeManifest(on.splitManifest);
  await waitUntil('the manager ends', 10_000, () => Promise.resolve(on.node.pid('kube-controller-manager') === undefined));

  expect(await on.do('split-signer')).toMatchObject({ was: 'missing', signer: own(), restarted: ['kube-controller-manager'] });
  expect(on.signingFile()).toBe(on.file(OWN));
  expect(on.read('pki/signer/ca.key')).toBe(on.read('pki/ca.key'));
  expect(await on.do('split-signer')).toMatchObject({ was: 'own' });
});

test('a node that joined while there are two authorities is told to take the files of another node', async () => {
  on.writeManifest(on.splitManifest);
  writeFileSync(on.file('pki/ca.crt'), bundle());
  const tree = on.tree();

  expect(await on.refusal('split-signer')).toMatchObject({
    error: 'SignerUnfit',
    message: expect.stringContaining('nothing lies where') as string,
    fix: expect.stringContaining('from another node') as string,
  });
  expect(on.tree()).toEqual(tree);
});

test('a kubelet sees the manifest of before or the one of afterwards at every moment', async () => {
  const seen = new Set<string>();
  const names = new Set<string>();
  let looks = 0;
  const timer = setInterval(() => {
    const visible = on.visibleManifests();
    looks++;
    names.add(Object.keys(visible).sort().join());
    seen.add(visible['kube-controller-manager.yaml'] ?? 'none');
  }, 1);
  try {
    await on.do('split-signer');
  } finally {
    clearInterval(timer);
  }

  expect(looks).toBeGreaterThan(50);
  expect([...seen]).toEqual([on.manifest, on.splitManifest]);
  expect(names.size).toBe(1);
});

test('a manager that does not come back by them signs as before, and the copies of the key are gone', async () => {
  on.refuseOwnFiles();
  const { tree, visible } = { tree: on.tree(), visible: on.visibleManifests() };

  const refusal = await on.refusal('split-signer', { waitSeconds: '5' });

  expect(refusal).toMatchObject({
    error: 'SignerNotSplit',
    message: expect.stringContaining('kube-controller-manager does not') as string,
  });
  expect(on.visibleManifests()).toEqual(visible);
  expect(on.tree()).toEqual(tree);
  expect(on.signingFile()).toBe(on.file('pki/ca.crt'));
  expect(on.leftovers()).toEqual([]);
  on.repairProgram();
  expect(await on.do('split-signer')).toMatchObject({ was: 'shared', signer: own() });
});

test('where its kubelet sees no change, the manager that never ended is found by the flags of before', async () => {
  const pid = on.node.pid('kube-controller-manager');
  on.node.pauseKubelet();

  expect(await on.refusal('split-signer', { waitSeconds: '3' })).toMatchObject({
    error: 'SignerNotSplit',
    message: expect.stringContaining('does not run with') as string,
  });
  on.node.resumeKubelet();
  await on.managerStays();
  expect(on.node.pid('kube-controller-manager')).toBe(pid);
});

test('where it does not run as before either, that is said, and the next run goes back and never on', async () => {
  on.refuseEverything();
  expect(await on.refusal('split-signer', { waitSeconds: '3' })).toMatchObject({ error: 'SignerUnclear' });
  expect(on.visibleManifests()['kube-controller-manager.yaml']).toBe(on.manifest);
  on.repairProgram();

  expect(await on.refusal('split-signer')).toMatchObject({ error: 'SignerNotSplit' });
  expect(on.signingFile()).toBe(on.file('pki/ca.crt'));
  expect(on.leftovers()).toEqual([]);
  expect(await on.do('split-signer')).toMatchObject({ was: 'shared' });
});

describe('where kubeadm upgrade wrote the flags of before back while pki/ca.crt holds two authorities', () => {
  beforeEach(async () => {
    await on.do('split-signer');
    writeFileSync(on.file('pki/ca.crt'), bundle());
    on.writeManifest(on.manifest);
    await waitUntil('the manager ends', 10_000, () => Promise.resolve(on.node.pid('kube-controller-manager') === undefined));
  });

  test('it signs by its own files again, which stay as they are', async () => {
    const tree = on.tree();

    expect(await on.do('split-signer')).toMatchObject({ was: 'shared', signer: own() });
    expect(on.tree()).toEqual(tree);
    expect(on.signingFile()).toBe(on.file(OWN));
  });

  test('it is not sent back to what it cannot sign by, when it does not come', async () => {
    on.refuseOwnFiles();

    expect(await on.refusal('split-signer', { waitSeconds: '3' })).toMatchObject({ error: 'SignerUnclear' });
    expect(on.visibleManifests()['kube-controller-manager.yaml']).toBe(on.splitManifest);

    on.repairProgram();
    expect(await on.do('split-signer')).toMatchObject({ was: 'interrupted', signer: own() });
  });

  test('files in pki/signer that nobody trusts are refused', async () => {
    const stranger = createAuthority('kubernetes');
    writeFileSync(on.file(OWN), stranger.cert);
    writeFileSync(on.file('pki/signer/ca.key'), stranger.key);

    expect(await on.refusal('split-signer')).toMatchObject({
      error: 'SignerUnfit',
      message: expect.stringContaining('nobody trusts') as string,
    });
  });
});
