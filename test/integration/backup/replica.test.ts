import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import type { ReplicaReport } from '../../../lambdas/backup/compare-replica';
import type { Manifest } from '../../../lambdas/contract/manifest';
import { ledgerKey, lockKey, manifestKey, snapshotKey, snapshotsPrefix } from '../../../lambdas/contract/s3-keys';
import { listSnapshots } from '../../../local/catalog';
import { waitUntil } from '../../../local/child-process';
import { proveSnapshot } from '../../../local/demo/prove-snapshot';
import { startWorld } from './world';
import type { World } from './world';

jest.setTimeout(180_000);

const LONG_AGO = { mode: 'governance', until: '2020-01-01T00:00:00.000Z' } as const;

describe('the replica', () => {
  let world: World;
  let there: { readonly bucket: string; readonly s3: S3Client };
  let real: Manifest;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-test-'));
    world = await startWorld({ megabytes: 10, replica: { region: 'eu-west-1' }, retention: { floor: 1, hourly: 1 } });
    there = world.lifeboat.replica!;
    await world.lifeboat.takeSnapshot({ trigger: 'scheduled' });
    real = (await world.lifeboat.snapshots())[0]!;
    await copied(manifestKey(world.lifeboat.cluster, real.id));
  });
  afterAll(async () => {
    there.s3.destroy();
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(() => world.cloud.replication.resume());

  const keysOf = async ({ bucket, s3 }: { readonly bucket: string; readonly s3: S3Client }, prefix: string) => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
    return Contents.map(({ Key }) => Key ?? '');
  };
  const status = async (key: string) => {
    const { s3, bucket } = world.lifeboat;
    return (await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).ReplicationStatus;
  };
  const copied = (key: string) => waitUntil(`${key} is copied`, 10_000, async () => (await keysOf(there, key)).length === 1);
  const put = async (key: string, body = '{}') => {
    const { s3, bucket } = world.lifeboat;
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  };
  const watched = async () => {
    const answer = await world.lifeboat.watchReplica();
    if (answer.outcome === 'failed') throw new Error(`${answer.error.name}: ${answer.error.message}`);
    return { report: answer.result as ReplicaReport, log: answer.logTail };
  };

  test('holds a snapshot that restores by the tools of others, listed by its manifest (peer failure 27)', async () => {
    const listed = await listSnapshots(there.s3, there.bucket, world.lifeboat.cluster);

    expect(listed).toContainEqual(real);
    const proof = await proveSnapshot(world.cloud, there.bucket, real, folder, '3.6', 'eu-west-1');
    expect(proof.status).toMatchObject({ hash: real.statusHash, revision: real.revision, totalKeys: real.totalKeys });
    expect(proof.restored.hashKv).toBe(real.hashKv.hash);
  });

  test('is locked as long as the original, and each says what it is', async () => {
    const key = manifestKey(world.lifeboat.cluster, real.id);
    const copy = await there.s3.send(new HeadObjectCommand({ Bucket: there.bucket, Key: key }));

    expect(copy).toMatchObject({ ObjectLockMode: 'GOVERNANCE', ReplicationStatus: 'REPLICA', ContentType: 'application/json' });
    expect(copy.ObjectLockRetainUntilDate?.toISOString().slice(0, 19)).toBe(real.lock!.until.slice(0, 19));
    expect(await status(key)).toBe('COMPLETED');
  });

  test('holds the ledger too, and no lock, no memory of pruning and nothing of another cluster', async () => {
    const { cluster } = world.lifeboat;
    const foreign = `${snapshotsPrefix(`${cluster}-2`)}20200101T000000Z-00000000/manifest.json`;
    await put(foreign);
    await put(ledgerKey(cluster));
    await copied(ledgerKey(cluster));

    expect(await keysOf(world.lifeboat, lockKey(cluster, 'backup'))).toHaveLength(1);
    expect(await status(foreign)).toBeUndefined();
    expect((await keysOf(there, '')).filter((key) => !key.startsWith(snapshotsPrefix(cluster)))).toEqual([ledgerKey(cluster)]);
  });

  test('is measured by looking there: late while S3 copies nothing, whole when it does (peer failure 27)', async () => {
    const { cluster } = world.lifeboat;
    world.cloud.replication.pause();
    await world.lifeboat.takeSnapshot();
    const late = (await world.lifeboat.snapshots()).at(-1)!;

    await waitUntil('it is late by a second', 10_000, async () => (await watched()).report.behindSeconds > 0);
    const { report, log } = await watched();
    world.cloud.replication.resume();
    await copied(manifestKey(cluster, late.id));

    const { snapshots } = report;
    expect(report).toMatchObject({ whole: snapshots - 1, behind: [{ id: late.id, lacks: ['manifest', 'object'] }], older: [] });
    expect(log).toMatch(/"ReplicaBehind":[1-9]/);
    expect(log).toContain('"ReplicaMissing":1');
    expect(await watched()).toMatchObject({
      report: { snapshots, whole: snapshots, behind: [], older: [], behindSeconds: 0 },
      log: expect.stringContaining('"ReplicaBehind":0,"ReplicaMissing":0') as unknown,
    });
  });

  test('is found to lack what somebody deleted there, though S3 goes on saying that it was copied', async () => {
    const { cluster } = world.lifeboat;
    const Key = snapshotKey(cluster, real.id);
    const { Versions = [] } = await there.s3.send(new ListObjectVersionsCommand({ Bucket: there.bucket, Prefix: Key }));
    const marker = await there.s3.send(new DeleteObjectCommand({ Bucket: there.bucket, Key }));

    const { report } = await watched();
    await there.s3.send(new DeleteObjectCommand({ Bucket: there.bucket, Key, VersionId: marker.VersionId }));

    expect(Versions).toHaveLength(1);
    expect(report).toMatchObject({ behind: [{ id: real.id, lacks: ['object'] }] });
    expect(await status(Key)).toBe('COMPLETED');
  });

  test('loses from sight what retention hides at home, and keeps its versions', async () => {
    const { cluster } = world.lifeboat;
    await world.lifeboat.takeSnapshot({ trigger: 'scheduled' });
    const newest = (await world.lifeboat.snapshots()).at(-1)!;
    const old = {
      ...real,
      id: '20250101T000000Z-00000001',
      takenAt: '2025-01-01T00:00:00.000Z',
      trigger: 'manual',
      lock: LONG_AGO,
    } as const;
    await put(snapshotKey(cluster, old.id), 'x'.repeat(real.stored.bytes));
    await put(manifestKey(cluster, old.id), JSON.stringify(old));
    await copied(manifestKey(cluster, old.id));

    expect(await world.lifeboat.pruneSnapshots()).toMatchObject({ result: { counts: { removed: 1 } } });
    await waitUntil('it is hidden there', 10_000, async () => (await keysOf(there, `${snapshotsPrefix(cluster)}${old.id}/`)).length === 0);

    const Prefix = manifestKey(cluster, old.id);
    const { Versions = [], DeleteMarkers = [] } = await there.s3.send(new ListObjectVersionsCommand({ Bucket: there.bucket, Prefix }));
    expect([Versions.length, DeleteMarkers.length]).toEqual([1, 1]);
    await copied(manifestKey(cluster, newest.id));
    expect((await watched()).report).toMatchObject({ behind: [], older: [] });
  });

  test('is watched by a function that lists both buckets and reads neither', async () => {
    await watched();

    const calls = world.cloud.calls().filter(({ role }) => role.includes('WatchReplica'));
    const asked = new Set(calls.filter(({ action }) => action.startsWith('s3:')).map(({ action, resource }) => `${action} ${resource}`));

    expect([...asked].sort()).toEqual([world.lifeboat.bucket, there.bucket].map((name) => `s3:ListBucket arn:aws:s3:::${name}`).sort());
    expect(calls.filter(({ allowed }) => !allowed)).toEqual([]);
  });
});
