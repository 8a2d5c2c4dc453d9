import { randomBytes } from 'node:crypto';
import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { S3Lock } from '../../../lambdas/aws/s3-lock';
import { S3SnapshotCatalog } from '../../../lambdas/aws/s3-snapshot-catalog';
import { pruneSnapshots } from '../../../lambdas/backup/prune-snapshots';
import type { Manifest } from '../../../lambdas/contract/manifest';
import { lockKey, manifestKey, newSnapshotId, pruneStateKey, snapshotKey, snapshotsPrefix } from '../../../lambdas/contract/s3-keys';
import { policy } from '../../backup/snapshots';
import { copySnapshot } from './copy-snapshot';
import { startWorld } from './world';
import type { World } from './world';

jest.setTimeout(180_000);

const DAY_MS = 86_400_000;

describe('prune-snapshots, deployed', () => {
  let world: World;
  let real: Manifest;
  beforeAll(async () => {
    world = await startWorld({ megabytes: 10, retention: { hourly: 1, daily: 3, weekly: 1, monthly: 1, floor: 2, preChangeDays: 5 } });
    await world.lifeboat.takeSnapshot({ trigger: 'scheduled' });
    real = (await world.lifeboat.snapshots())[0]!;
  });
  afterAll(() => world.stop());
  afterEach(async () => {
    world.cloud.faults.clear();
    const { s3, bucket, cluster } = world.lifeboat;
    const ours = [...(await keysUnder(snapshotsPrefix(cluster))), lockKey(cluster, 'prune'), pruneStateKey(cluster)];
    for (const Key of ours.filter((key) => !key.includes(real.id))) await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
  });

  /** A copy of the one real snapshot. */
  const copy = (daysOld: number, overrides: Partial<Manifest> = {}) => copySnapshot(world.lifeboat, real, daysOld, overrides);
  const listedIds = async () => (await world.lifeboat.snapshots()).map(({ id }) => id).sort();
  const keysUnder = async (prefix: string) => {
    const { Contents = [] } = await world.lifeboat.s3.send(new ListObjectsV2Command({ Bucket: world.lifeboat.bucket, Prefix: prefix }));
    return Contents.map(({ Key }) => Key ?? '').sort();
  };

  test('a snapshot that was taken says until when it is locked, and S3 holds its manifest until then', async () => {
    const { s3, bucket, cluster } = world.lifeboat;
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: manifestKey(cluster, real.id) }));

    expect(real.lock).toEqual({ mode: 'governance', until: new Date(new Date(real.takenAt).getTime() + 7 * DAY_MS).toISOString() });
    expect(head.ObjectLockMode).toBe('GOVERNANCE');
    expect(head.ObjectLockRetainUntilDate?.toISOString().slice(0, 19)).toBe(real.lock!.until.slice(0, 19));
  });

  test('leaves what the policy keeps, and both objects of nothing else; another cluster is not touched (peer failures 21, 22)', async () => {
    const { s3, bucket, cluster } = world.lifeboat;
    const foreign = snapshotsPrefix(`${cluster}-2`);
    for (const name of ['manifest.json', 'snapshot.db.zst']) {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${foreign}20200101T000000Z-00000000/${name}`, Body: '{}' }));
    }
    const kept = [real.id, await copy(1), await copy(2), await copy(400, { lock: real.lock! }), await copy(4, { trigger: 'manual' })];
    for (const days of [100, 101, 102, 103, 200, 300]) await copy(days);
    await copy(6, { trigger: 'pre-rotation' });
    await copy(90, { verified: false });

    const answer = await world.lifeboat.pruneSnapshots();

    expect(answer).toMatchObject({
      outcome: 'returned',
      result: { outcome: 'pruned', counts: { kept: 5, removed: 8, denied: 0, damaged: 0 } },
    });
    expect(await listedIds()).toEqual(kept.toSorted());
    expect(await keysUnder(snapshotsPrefix(cluster))).toHaveLength(2 * kept.length);
    expect(await keysUnder(foreign)).toHaveLength(2);
    expect(await world.lifeboat.pruneSnapshots()).toMatchObject({ result: { counts: { kept: 5, removed: 0 } } });
  });

  test('a removal that is denied stops no other, and is not repeated by the next run (peer failures 29, 30)', async () => {
    const { s3, bucket, cluster } = world.lifeboat;
    for (const days of [1, 2]) await copy(days);
    const [denied, other] = [await copy(500), await copy(501)];
    const refusal = { kind: 'status', status: 403, code: 'AccessDenied' } as const;
    world.cloud.faults.inject({ operation: 'DeleteObject', key: `${denied}/manifest.json`, times: 1000, fault: refusal });

    expect(await world.lifeboat.pruneSnapshots()).toMatchObject({ result: { counts: { removed: 1, denied: 1, waiting: 0 } } });
    const ids = await listedIds();
    expect([ids.includes(denied), ids.includes(other)]).toEqual([true, false]);
    const calls = world.cloud.faults.count('DeleteObject');
    expect(await world.lifeboat.pruneSnapshots()).toMatchObject({
      outcome: 'returned',
      result: { counts: { removed: 0, denied: 0, waiting: 1 } },
    });
    expect(world.cloud.faults.count('DeleteObject')).toBe(calls);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: pruneStateKey(cluster) }));
    expect(JSON.parse((await Body?.transformToString()) ?? '')).toMatchObject({ denied: { [denied]: { tries: 1 } } });
  });

  test('a damaged manifest is reported and kept', async () => {
    const { s3, bucket, cluster } = world.lifeboat;
    const id = newSnapshotId(new Date(0), randomBytes(4));
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: manifestKey(cluster, id), Body: '{"version":1}' }));

    const answer = await world.lifeboat.pruneSnapshots();

    expect(answer).toMatchObject({ outcome: 'returned', result: { counts: { damaged: 1 }, damaged: [{ id }] } });
    expect(await keysUnder(`${snapshotsPrefix(cluster)}${id}/`)).toHaveLength(1);
  });

  test('an object that nothing lists is left alone today and swept tomorrow', async () => {
    const { s3, bucket, cluster } = world.lifeboat;
    const id = newSnapshotId(new Date(0), randomBytes(4));
    const key = snapshotKey(cluster, id);
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'left by a run that was killed' }));
    expect(await world.lifeboat.pruneSnapshots()).toMatchObject({ result: { counts: { swept: 0 } } });
    expect(await keysUnder(key)).toEqual([key]);

    // The clock of S3 cannot be moved, so tomorrow comes to the same use case in this process.
    const now = () => new Date(Date.now() + 1.01 * DAY_MS);
    const telemetry = { log: () => undefined, warn: () => undefined, count: () => undefined };
    const lock = new S3Lock(s3, { bucket, cluster, name: 'prune', ttlMs: 0 }, now);
    const catalog = new S3SnapshotCatalog(s3, bucket, cluster);
    const everything = policy({ hourly: 1000 });

    expect(await pruneSnapshots({ catalog, lock, telemetry, now }, { cluster, policy: everything }, 'tomorrow')).toMatchObject({
      swept: [id],
    });
    expect(await keysUnder(key)).toEqual([]);
  });

  test('reads a listing of several pages to its end, and a catalog of any size (peer failures 14, 23)', async () => {
    const ids = [];
    for (let round = 0; round < 26; round++) {
      const ages = Array.from({ length: 20 }, (_, i) => 1000 + round * 20 + i);
      ids.push(...(await Promise.all(ages.map((days) => copy(days, { lock: real.lock! })))));
    }
    const { IsTruncated } = await world.lifeboat.s3.send(new ListObjectsV2Command({ Bucket: world.lifeboat.bucket }));
    expect(IsTruncated).toBe(true);

    expect(await world.lifeboat.pruneSnapshots()).toMatchObject({ outcome: 'returned', result: { counts: { kept: ids.length + 1 } } });
  });

  test('while another run of it holds the lock it ends without doing anything, and says so; a backup keeps it from nothing', async () => {
    const { s3, bucket, cluster } = world.lifeboat;
    const doomed = await copy(600);
    const document = { holder: 'another', acquiredAt: new Date().toISOString(), expiresAt: new Date(Date.now() + 600_000).toISOString() };
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: lockKey(cluster, 'prune'), Body: JSON.stringify(document) }));

    expect(await world.lifeboat.pruneSnapshots()).toMatchObject({
      outcome: 'returned',
      result: { outcome: 'skipped', because: `request another holds the lock until ${document.expiresAt}` },
    });
    expect(await listedIds()).toContain(doomed);
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: lockKey(cluster, 'prune') }));
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: lockKey(cluster, 'backup'), Body: JSON.stringify(document) }));
    expect(await world.lifeboat.pruneSnapshots()).toMatchObject({ result: { outcome: 'pruned' } });
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: lockKey(cluster, 'backup') }));
  });
});
