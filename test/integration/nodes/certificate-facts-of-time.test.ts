import { cpSync, renameSync, writeFileSync } from 'node:fs';
import { createAuthority } from '../../../local/etcd/certificates';
import type { LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import { SignerNode } from './signer-world';

// What a rotation of authorities asks of a node: who signs, what runs since when, and when what is trusted was written.
jest.setTimeout(120_000);

let nodes: LocalNodes;
let on: SignerNode;
beforeAll(async () => {
  nodes = await startLocalNodes({ count: 1, certificates: 'whole' });
  on = new SignerNode(nodes.nodes[0]!);
});
beforeEach(() => on.reset());
afterAll(() => nodes.stop());

type Facts = Awaited<ReturnType<typeof facts>>;
const facts = () => on.do('certificate-facts');
const startedAt = ({ processes }: Facts, component: string): number | undefined =>
  processes.find((each) => each.component === component)?.startedAt;
/** Two things that happen one after the other are told apart from the next second on. */
const nextSecond = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_020 - (Date.now() % 1_000)));

describe('the signer', () => {
  test('with files of its own signs by them', async () => {
    const { signer } = await on.do('split-signer');

    const told = await facts();

    expect(told.signer).toEqual({ certSha256: signer?.sha256, split: true });
    expect(told.controllerManager.signingCertFile).toBe(on.file('pki/signer/ca.crt'));
  });

  test('is followed when its certificate is exchanged', async () => {
    await on.do('split-signer');
    const before = await facts();
    writeFileSync(on.file('pki/signer/ca.crt'), createAuthority('kubernetes').cert);

    const { signer } = await facts();

    expect(signer?.certSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(signer?.certSha256).not.toBe(before.signer?.certSha256);
  });

  test('that has several certificates signs by none', async () => {
    writeFileSync(on.file('pki/ca.crt'), on.read('pki/ca.crt') + createAuthority('kubernetes').cert);

    expect((await facts()).signer).toEqual({ certSha256: null, split: false });
  });
});

describe('what runs', () => {
  test('is older than what it would have to be started anew for, and younger once it was', async () => {
    const { 'etcd/ca': written } = (await facts()).written;
    await nextSecond();
    writeFileSync(on.file('pki/ca.crt'), on.read('pki/ca.crt'));
    const before = await facts();
    await nextSecond();
    await on.endManager();
    await on.managerSignsBy('pki/ca.crt');

    const after = await facts();

    const { ca } = after.written;
    expect(before.written).toEqual(after.written);
    expect(after.written['etcd/ca']).toBe(written);
    expect(startedAt(before, 'controller-manager')).toBeLessThan(ca!);
    expect(startedAt(after, 'controller-manager')).toBeGreaterThan(ca!);
    expect(startedAt(after, 'controller-manager')).toBeLessThanOrEqual(after.clock);
    expect(Math.abs(startedAt(after, 'etcd')! - startedAt(before, 'etcd')!)).toBeLessThanOrEqual(1);
    expect(startedAt(after, 'etcd')).toBeLessThan(ca!);
  });

  test('is not among them once it has ended', async () => {
    on.node.pauseKubelet();
    await on.endManager();

    const { processes, controllerManager } = await facts();

    expect(processes.map(({ component }) => component)).toEqual(['apiserver', 'etcd', 'scheduler']);
    expect(controllerManager.running).toBe(false);
  });
});

test('a copy that is put back with the time of its content is new all the same', async () => {
  const kept = `${on.file('pki/front-proxy-ca.crt')}.kept`;
  cpSync(on.file('pki/front-proxy-ca.crt'), kept, { preserveTimestamps: true });
  const before = (await facts()).written['front-proxy-ca'];
  await nextSecond();

  renameSync(kept, on.file('pki/front-proxy-ca.crt'));

  expect((await facts()).written['front-proxy-ca']).toBeGreaterThan(before!);
});
