import type { LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import { killedAt, someOf, stepsOf, upTo } from '../../support/crash';
import { SignerNode } from './signer-world';

// The document is killed before each of its changes; then it goes on, or goes back.
jest.setTimeout(600_000);

let nodes: LocalNodes;
let on: SignerNode;
beforeAll(async () => {
  nodes = await startLocalNodes({ count: 1, certificates: 'whole' });
  on = new SignerNode(nodes.nodes[0]!);
});
beforeEach(() => on.reset());
afterAll(() => nodes.stop());

const kill = (step: number, waitSeconds = '15') => killedAt(step, 'split-signer', on.valuesOf({ waitSeconds }), on.node.env, nodes.folder);
const steps = (waitSeconds = '15') => stepsOf('split-signer', on.valuesOf({ waitSeconds }), on.node.env, nodes.folder);
const manifest = (): string | undefined => on.visibleManifests()['kube-controller-manager.yaml'];

test('splitting, killed at any step, goes on when it is run again', async () => {
  const all = await steps();
  expect(all).toBeGreaterThan(6);

  for (const step of someOf(upTo(all), 5)) {
    await on.reset();
    const key = on.read('pki/ca.key');
    expect(await kill(step)).toBe(true);
    expect([on.manifest, on.splitManifest]).toContain(manifest());

    const { was } = await on.do('split-signer');

    expect(['shared', 'interrupted']).toContain(was);
    expect(manifest()).toBe(on.splitManifest);
    expect(on.read('pki/signer/ca.key')).toBe(key);
    expect(on.signingFile()).toBe(on.file('pki/signer/ca.crt'));
    expect(on.leftovers()).toEqual([]);
  }
});

test('going back, killed at any step, goes back when it is run again, and no copy of the key stays', async () => {
  const forward = await steps();
  await on.reset();
  on.refuseOwnFiles();
  const all = await steps('3');
  expect(all).toBeGreaterThan(forward + 3);

  // Where it split before, the record is removed last; from there on it goes back here.
  for (const step of someOf(upTo(all).slice(forward - 1), 2)) {
    await on.reset();
    on.refuseOwnFiles();
    const tree = on.tree();
    expect(await kill(step, '3')).toBe(true);
    expect([on.manifest, on.splitManifest]).toContain(manifest());

    expect(await on.refusal('split-signer', { waitSeconds: '4' })).toMatchObject({ error: 'SignerNotSplit' });

    expect(manifest()).toBe(on.manifest);
    expect(on.tree()).toEqual(tree);
    expect(on.signingFile()).toBe(on.file('pki/ca.crt'));
    expect(on.leftovers()).toEqual([]);
  }
});

test('power that goes once the flags are changed: the manager starts by its own files, and the next run finds that', async () => {
  const all = await steps();
  await on.reset();
  expect(await kill(all)).toBe(true);
  await on.node.reboot();
  await on.node.apiserverReady();

  expect(await on.do('split-signer')).toMatchObject({ was: 'interrupted' });

  expect(on.signingFile()).toBe(on.file('pki/signer/ca.crt'));
  expect(on.leftovers()).toEqual([]);
});
