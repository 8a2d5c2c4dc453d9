import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { S3Document } from '../../../lambdas/aws/s3-document';
import { S3SnapshotCatalog } from '../../../lambdas/aws/s3-snapshot-catalog';
import { LEAST_SLACK, bumpFor } from '../../../lambdas/backup/bump';
import type { Bump } from '../../../lambdas/backup/bump';
import { readMergedLedger, updateLedger } from '../../../lambdas/backup/keep-ledger';
import type { LedgerEdges } from '../../../lambdas/backup/keep-ledger';
import { recordRestore } from '../../../lambdas/backup/ledger';
import type { Manifest } from '../../../lambdas/contract/manifest';
import { ledgerKey } from '../../../lambdas/contract/s3-keys';
import { inspectSnapshot } from '../../../lambdas/etcd/snapshot';
import { sleep } from '../../../local/child-process';
import { fetchPlain } from '../../../local/demo/prove-snapshot';
import { bootRestored } from '../../../local/etcd/restored-member';
import type { RestoredMember } from '../../../local/etcd/restored-member';
import { clientOf } from './world';
import { startLedgerWorld } from './ledger-world';
import type { LedgerWorld } from './ledger-world';

jest.setTimeout(240_000);

describe.each(['3.6', '3.5'] as const)('real restores of etcd %s with the bump that the ledger gives', (release) => {
  let world: LedgerWorld;
  let edges: LedgerEdges;
  let folder: string;
  let restores = 0;
  const running: RestoredMember[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-test-'));
    world = await startLedgerWorld({ megabytes: 10, release });
    const { s3, bucket, cluster } = world.lifeboat;
    edges = {
      cluster,
      document: new S3Document(s3, bucket, ledgerKey(cluster), 'the ledger'),
      catalog: new S3SnapshotCatalog(s3, bucket, cluster),
      telemetry: { log: () => undefined, warn: () => undefined },
      wait: sleep,
      random: () => 0.5,
    };
  });
  afterEach(() => Promise.all(running.splice(0).map((member) => member.stop())));
  afterAll(async () => {
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function takeOne(): Promise<{ manifest: Manifest; plain: string }> {
    await world.lifeboat.takeSnapshot();
    const manifest = (await world.lifeboat.snapshots()).at(-1)!;
    const { plain } = await fetchPlain(world.cloud, world.lifeboat.bucket, manifest, folder);
    return { manifest, plain };
  }

  /** What the restore runbook does about revisions: plan from the merged ledger, record, restore. */
  async function restore({ manifest, plain }: { manifest: Manifest; plain: string }): Promise<{ bump: Bump; member: RestoredMember }> {
    const now = new Date();
    const bump = bumpFor(await readMergedLedger(edges), manifest, now);
    const record = { at: now.toISOString(), snapshot: manifest.id, fromLineage: manifest.lineage, bumpedTo: bump.bumpedTo };
    await updateLedger(edges, (ledger) => recordRestore(ledger, record));
    const member = await bootRestored(plain, folder, release, { name: `restored-${++restores}`, bump: bump.bump });
    running.push(member);
    return { bump, member };
  }

  test('a restore never serves a revision again, nor does a second one of the same snapshot, and old watches are told so (peer failure 1)', async () => {
    const taken = await takeOne();
    const served = await world.write(200);
    await world.watch();

    const first = await restore(taken);
    const after = await first.member.position();

    expect(first.bump.servedUpTo).toBeGreaterThanOrEqual(served);
    expect(after.revision).toBeLessThanOrEqual(first.bump.bumpedTo);
    expect(after.revision).toBeGreaterThanOrEqual(served + LEAST_SLACK);
    expect(after.lineage).not.toBe(taken.manifest.lineage);
    expect(await first.member.refusalOfWatch(served)).toContain('required revision has been compacted');
    expect(await first.member.count('/registry/')).toBe(Object.values(taken.manifest.inventory).reduce((sum, count) => sum + count, 0));
    for (let n = 0; n < 5; n++) await first.member.put('/registry/after', String(n));
    const servedSince = (await first.member.position()).revision;
    expect(servedSince).toBe(after.revision + 5);

    // Nothing has polled the first restored cluster; all that is known of it is that it was begun.
    const second = await restore(taken);
    const again = await second.member.position();

    expect(again.revision).toBeGreaterThan(servedSince);
    expect(again.revision).toBeLessThanOrEqual(second.bump.bumpedTo);
    expect(await second.member.refusalOfWatch(servedSince)).toContain('required revision has been compacted');
  });

  test('a file that was compacted at its very revision starts above all the same: its newest entry may be older (peer failure 9)', async () => {
    const client = clientOf(world.etcd);
    await client.put('/registry/last').value('soon gone');
    await client.delete().key('/registry/last');
    const { header } = await client.kv.range({ key: Buffer.from('none') });
    await client.kv.compact({ revision: header.revision, physical: true });
    client.close();
    const taken = await takeOne();
    const { revision, compactRevision, lastEntryRevision } = await inspectSnapshot(taken.plain);
    expect([revision, compactRevision]).toEqual([Number(header.revision), Number(header.revision)]);

    const { bump, member } = await restore(taken);
    const { revision: starts } = await member.position();

    expect(starts).toBe(lastEntryRevision + bump.bump);
    expect(starts).toBeGreaterThanOrEqual(bump.servedUpTo + LEAST_SLACK);
    expect(starts).toBeLessThanOrEqual(bump.bumpedTo);
  });
});
