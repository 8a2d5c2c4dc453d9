import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashKvOf, hashKvsOf, inspectSnapshot, resourceOf } from '../../../lambdas/etcd/snapshot';
import { random } from '../../../local/etcd/random';
import type { Random } from '../../../local/etcd/random';
import { snapshotStatus } from '../../../local/etcd/restored-member';
import { LiveMember } from '../../support/live-member';

jest.setTimeout(120_000);

const NAMES = [
  'pods/a',
  'pods/b',
  'services/specs/a',
  'services/endpoints/a',
  'minions',
  'example.com/widgets/a',
  'configmaps/kube-system',
] as const;

async function changeAtRandom(member: LiveMember, next: Random, changes: number): Promise<void> {
  const key = () => (next.below(9) === 0 ? `other-${next.below(5)}` : `/registry/${next.pick(NAMES)}/o${next.below(40)}`);
  for (let i = 0; i < changes; i++) {
    const what = next.below(10);
    const size = next.below(20) === 0 ? 9000 + next.below(60_000) : next.below(500);
    if (what < 6) await member.change({ key: key(), value: Buffer.alloc(size, next.below(256)) });
    else if (what < 8) await member.change({ key: key() });
    else {
      const keys = [...new Set([key(), key(), key()])];
      await member.change(...keys.map((one) => (next.below(3) === 0 ? { key: one } : { key: one, value: 'in a transaction' })));
    }
  }
}

async function liveObjects(member: LiveMember): Promise<Record<string, number>> {
  const printed = await member.etcdctl('get', '', '--from-key', '--keys-only');
  const counts: Record<string, number> = {};
  for (const key of printed.split('\n').filter((line) => line !== '')) counts[resourceOf(key)] = (counts[resourceOf(key)] ?? 0) + 1;
  return counts;
}

async function expectAgreement(member: LiveMember, path: string): Promise<void> {
  const report = await inspectSnapshot(await member.snapshot(path));
  // 3.6 for both: 3.5 counts entries where 3.6 counts keys.
  const told = await snapshotStatus(path, '3.6');

  expect(report.problems).toEqual([]);
  expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
  const { statusHash: hash, lastEntryRevision: revision, totalKeys, dbSize: bytes } = report;
  expect({ hash, revision, totalKeys, bytes }).toEqual(told);
  expect(report.revision).toBe(await member.revision());
  expect(report.inventory).toEqual(await liveObjects(member));
  // Asked for the very revision of a compaction, members repeat what that left behind, made of entries that are gone; for 0 they hash anew.
  const asked = report.revision > report.compactRevision ? report.revision : 0;
  expect(report.hashKv).toEqual({ revision: report.revision, ...(await member.hashKv(asked)) });
}

describe.each(['3.5', '3.6'] as const)('a snapshot of etcd %s', (release) => {
  let member: LiveMember;
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'snapshot-file-'));
    path = join(folder, 'snapshot.db');
    member = await LiveMember.start(release);
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
      await changeAtRandom(member, next, 60 + next.below(200));
      if (round > 0) await member.compact((await member.revision()) - next.below(30));
      await expectAgreement(member, path);
    }
    await member.client.delete().all();
    await expectAgreement(member, path);
    await member.compact(await member.revision());
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
    const last = await member.revision();
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

  test('tells what a compaction at its own last revision left behind, if it was taken before that', async () => {
    await changeAtRandom(member, random(6), 200);
    await member.compact(100);
    const report = await inspectSnapshot(await member.snapshot(path));

    await member.compact(report.revision);

    expect(await member.hashKv(report.revision)).toEqual({ hash: report.hashKv?.hash, compactRevision: 100 });
    const anew = await member.hashKv(0);
    expect(await hashKvOf(path, report.revision, report.revision)).toEqual({ revision: report.revision, ...anew });
  });

  test('counts leased keys, and knows those that their lease took along', async () => {
    const lease = member.client.lease(600);
    await member.change({ key: '/registry/leases/a/kept', value: 'x' });
    await lease.put('/registry/masterleases/10.0.0.1').value('x');
    await lease.put('/registry/events/a/b').value('x');
    await expectAgreement(member, path);

    await lease.revoke();

    await expectAgreement(member, path);
  });

  test('taken after a restore that bumped the revision and marked older ones compacted agrees too', async () => {
    await changeAtRandom(member, random(4), 150);
    await member.restore(await member.snapshot(path), '--bump-revision=1000000', '--mark-compacted');

    const report = await inspectSnapshot(await member.snapshot(path));

    expect(report.problems).toEqual([]);
    expect(report.revision).toBeGreaterThan(1_000_000);
    await changeAtRandom(member, random(5), 50);
    await member.snapshot(path);
    const [later, told] = [await inspectSnapshot(path), await snapshotStatus(path, '3.6')];
    expect(later.problems).toEqual([]);
    expect([later.statusHash, later.lastEntryRevision, later.totalKeys]).toEqual([told.hash, told.revision, told.totalKeys]);
    expect(later.hashKv).toEqual({ revision: later.revision, ...(await member.hashKv(later.revision)) });
  });
});
