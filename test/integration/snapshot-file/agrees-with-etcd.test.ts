import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashKvOf, hashKvsOf, inspectSnapshot, resourceOf } from '../../../lambdas/etcd/snapshot';
import type { EtcdLine } from '../../support/etcd-binaries';
import { etcdBinaries } from '../../support/etcd-binaries';
import { EtcdMember, message, tool } from '../../support/etcd-member';

jest.setTimeout(120_000);

const LINES: readonly EtcdLine[] = ['3.5', '3.6'];
const NAMES = [
  'pods/a',
  'pods/b',
  'services/specs/a',
  'services/endpoints/a',
  'minions',
  'example.com/widgets/a',
  'configmaps/kube-system',
];

/** mulberry32, so that a failing seed can be had again. */
function random(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

async function changeAtRandom(member: EtcdMember, next: (below: number) => number, changes: number): Promise<void> {
  const key = () => (next(9) === 0 ? `other-${next(5)}` : `/registry/${NAMES[next(NAMES.length)] ?? ''}/o${next(40)}`);
  for (let i = 0; i < changes; i++) {
    const what = next(10);
    if (what < 6) await member.put(key(), Buffer.alloc(next(20) === 0 ? 9000 + next(60_000) : next(500), next(256)));
    else if (what < 8) await member.delete(key());
    else await member.call('KV/Txn', transaction(new Set([key(), key(), key()]), next));
  }
}

const transaction = (keys: Set<string>, next: (below: number) => number) =>
  Buffer.concat(
    [...keys].map((key) =>
      next(3) === 0
        ? message([2, message([3, message([1, Buffer.from(key)])])])
        : message([2, message([2, message([1, Buffer.from(key)], [2, Buffer.from('in a transaction')])])]),
    ),
  );

async function liveObjects(member: EtcdMember): Promise<Record<string, number>> {
  const printed = await member.etcdctl('get', '', '--from-key', '--keys-only');
  const counts: Record<string, number> = {};
  for (const key of printed.split('\n').filter((line) => line !== '')) counts[resourceOf(key)] = (counts[resourceOf(key)] ?? 0) + 1;
  return counts;
}

async function revisionOf(member: EtcdMember): Promise<number> {
  return Number(/"revision":(\d+)/.exec(await member.etcdctl('get', 'none', '-w', 'json'))?.[1]);
}

async function status(etcdutl: string, path: string): Promise<{ hash: string; revision: number; totalKey: number; totalSize: number }> {
  const parsed = JSON.parse(await tool(etcdutl, 'snapshot', 'status', path, '-w', 'json')) as {
    hash: number;
    revision: number;
    totalKey: number;
    totalSize: number;
  };
  return { ...parsed, hash: parsed.hash.toString(16).padStart(8, '0') };
}

async function expectAgreement(member: EtcdMember, path: string): Promise<void> {
  const report = await inspectSnapshot(await member.snapshot(path));
  const told = await status(etcdBinaries('3.6').etcdutl, path);
  const live = await member.hashKv(report.revision);

  expect(report.problems).toEqual([]);
  expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
  expect({ hash: report.statusHash, revision: report.lastEntryRevision, keys: report.totalKeys, size: report.dbSize }).toEqual({
    hash: told.hash,
    revision: told.revision,
    keys: told.totalKey,
    size: told.totalSize,
  });
  expect(report.revision).toBe(await revisionOf(member));
  // Asked at the very revision of a compaction, members since 3.5.5 repeat what they stored before it, with the compact revision of then.
  if (report.revision > report.compactRevision) expect(report.hashKv).toEqual({ revision: report.revision, ...live });
  expect(report.inventory).toEqual(await liveObjects(member));
}

describe.each(LINES)('a snapshot of etcd %s', (line) => {
  let member: EtcdMember;
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'snapshot-file-'));
    path = join(folder, 'snapshot.db');
    member = await EtcdMember.start(etcdBinaries(line));
  });
  afterEach(async () => {
    await member.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('of a store that nobody ever wrote to is whole', async () => {
    await expectAgreement(member, path);
  });

  test.each([1, 2])('agrees with etcd in every fact after random changes, compactions and emptying (seed %i)', async (seed) => {
    const next = random(seed);

    for (let round = 0; round < 5; round++) {
      await changeAtRandom(member, next, 60 + next(200));
      if (round > 0) await member.compact((await revisionOf(member)) - next(30));
      await expectAgreement(member, path);
    }
    await member.call('KV/DeleteRange', message([1, Buffer.from('\0')], [2, Buffer.from('\0')]));
    await expectAgreement(member, path);
    await member.compact(await revisionOf(member));
    await expectAgreement(member, path);
    await changeAtRandom(member, next, 20);
    await expectAgreement(member, path);
  });

  test('tells the hash that members had at many earlier revisions, also for a later compaction', async () => {
    const next = random(3);
    await changeAtRandom(member, next, 300);
    await member.compact(120);
    await changeAtRandom(member, next, 100);
    await member.snapshot(path);
    const last = await revisionOf(member);
    const revisions = [121, 150, 200, 250, 300, last];

    const told = await hashKvsOf(
      path,
      revisions.map((revision) => ({ revision })),
    );

    expect(told).toEqual(await Promise.all(revisions.map(async (revision) => ({ revision, ...(await member.hashKv(revision)) }))));
    await member.compact(240);
    for (const revision of [241, 260, last])
      expect(await hashKvOf(path, revision, 240)).toEqual({ revision, ...(await member.hashKv(revision)) });
  });

  test('counts leased keys, and knows those that their lease took along', async () => {
    const id = /lease (\w+) granted/.exec(await member.etcdctl('lease', 'grant', '600'))?.[1] ?? '';
    await member.put('/registry/leases/a/kept', 'x');
    await member.etcdctl('put', '/registry/masterleases/10.0.0.1', 'x', `--lease=${id}`);
    await member.etcdctl('put', '/registry/events/a/b', 'x', `--lease=${id}`);
    await expectAgreement(member, path);

    await member.etcdctl('lease', 'revoke', id);

    await expectAgreement(member, path);
  });

  test('taken after a restore that bumped the revision and marked older ones compacted agrees too', async () => {
    await changeAtRandom(member, random(4), 150);
    await member.snapshot(path);
    const data = join(folder, 'restored');
    await tool(
      etcdBinaries(line).etcdutl,
      'snapshot',
      'restore',
      path,
      '--data-dir',
      data,
      '--bump-revision',
      '1000000',
      '--mark-compacted',
    );
    const restored = await EtcdMember.start(etcdBinaries(line), { dataDir: data });

    try {
      const report = await inspectSnapshot(await restored.snapshot(path));
      expect(report.problems).toEqual([]);
      expect(report.revision).toBeGreaterThan(1_000_000);
      await changeAtRandom(restored, random(5), 50);
      await restored.snapshot(path);
      const [later, told] = [await inspectSnapshot(path), await status(etcdBinaries('3.6').etcdutl, path)];
      expect([later.problems, later.statusHash, later.lastEntryRevision, later.totalKeys]).toEqual([
        [],
        told.hash,
        told.revision,
        told.totalKey,
      ]);
      expect(later.hashKv).toEqual({ revision: later.revision, ...(await restored.hashKv(later.revision)) });
    } finally {
      await restored.stop();
    }
  });
});
