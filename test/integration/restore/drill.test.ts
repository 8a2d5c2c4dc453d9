import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Manifest } from '../../../lambdas/contract/manifest';
import { manifestKey, snapshotKey } from '../../../lambdas/contract/s3-keys';
import { copySnapshot } from '../backup/copy-snapshot';
import { startWorld } from '../backup/world';
import type { World } from '../backup/world';

jest.setTimeout(240_000);

describe('drill-in-function, deployed', () => {
  let world: World;
  let real: Manifest;
  beforeAll(async () => {
    world = await startWorld({ megabytes: 20, retention: { hourly: 1, daily: 1, weekly: 1, monthly: 1, floor: 1 } });
    await world.lifeboat.takeSnapshot({ trigger: 'scheduled' });
    real = (await world.lifeboat.snapshots())[0]!;
  });
  afterAll(() => world.stop());
  afterEach(() => world.cloud.faults.clear());

  const manifestOf = async (id: string) => {
    const { s3, bucket, cluster } = world.lifeboat;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: manifestKey(cluster, id) }));
    return JSON.parse((await Body?.transformToString()) ?? '') as Manifest;
  };

  test('finds the newest verified snapshot as it was taken, says so in its manifest, and keeps that locked', async () => {
    const { s3, bucket, cluster } = world.lifeboat;
    const before = await manifestOf(real.id);

    const answer = await world.lifeboat.drill();

    expect(answer).toMatchObject({ outcome: 'returned', result: { id: real.id, kind: 'in-function', passed: true } });
    const { drills, ...rest } = await manifestOf(real.id);
    expect(drills?.[0]).toMatchObject({ kind: 'in-function', passed: true, by: expect.stringMatching(/^[0-9a-f-]{36}$/) as string });
    const { drills: _earlier, ...unchanged } = before;
    expect(rest).toEqual(unchanged);
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: manifestKey(cluster, real.id) }));
    expect(head.ObjectLockMode).toBe('GOVERNANCE');
    expect(head.ObjectLockRetainUntilDate?.toISOString().slice(0, 19)).toBe(real.lock!.until.slice(0, 19));
  });

  test('stamps once also when the answer to the write is lost, and over what somebody else wrote first', async () => {
    const count = async () => ((await manifestOf(real.id)).drills ?? []).length;
    const before = await count();
    world.cloud.faults.inject({ operation: 'PutObject', key: '/manifest.json', fault: { kind: 'lose-answer' } });

    expect(await world.lifeboat.drill()).toMatchObject({ outcome: 'returned', result: { passed: true } });

    expect(await count()).toBe(before + 1);
    world.cloud.faults.clear();
    const act = async () => {
      const text = JSON.stringify({ ...(await manifestOf(real.id)), note: 'written meanwhile' });
      const { s3, bucket, cluster } = world.lifeboat;
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: manifestKey(cluster, real.id), Body: text }));
    };
    world.cloud.faults.inject({ operation: 'PutObject', key: '/manifest.json', fault: { kind: 'meanwhile', act } });

    expect(await world.lifeboat.drill()).toMatchObject({ outcome: 'returned', result: { passed: true } });

    expect(await manifestOf(real.id)).toMatchObject({ note: 'written meanwhile' });
    expect(await count()).toBe(before + 2);
  });

  test('finds a damaged one, writes that down, and is heard of until a drill passes', async () => {
    const { s3, bucket, cluster } = world.lifeboat;
    const id = await copySnapshot(world.lifeboat, real, 1);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: snapshotKey(cluster, id) }));
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    bytes[bytes.length >> 1]! ^= 1;
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: snapshotKey(cluster, id), Body: bytes }));
    const alarm = async () => (await world.cloud.alarms('Lifeboat-demo')).get('Lifeboat-demo/drill-failed')?.state;

    const answer = await world.lifeboat.drill({ snapshotId: id });

    const detail = expect.stringMatching(/does not decompress, also when it is read again/) as string;
    expect(answer).toMatchObject({ outcome: 'returned', result: { id, passed: false, detail } });
    expect(await manifestOf(id)).toMatchObject({ drills: [{ passed: false, detail }] });
    expect(await alarm()).toBe('ALARM');
  });

  test('finds one whose manifest says something else', async () => {
    const id = await copySnapshot(world.lifeboat, real, 2, { revision: real.revision, totalKeys: real.totalKeys + 1 });

    expect(await world.lifeboat.drill({ snapshotId: id })).toMatchObject({
      result: { passed: false, detail: `number of keys is ${real.totalKeys}, the manifest says ${real.totalKeys + 1}` },
    });
  });

  test('pruning keeps what passed beside the newest, and measures how long that is ago', async () => {
    const drilled = await copySnapshot(world.lifeboat, real, 400, { trigger: 'manual' });
    const other = await copySnapshot(world.lifeboat, real, 401, { trigger: 'manual' });
    const restored = [{ at: new Date().toISOString(), kind: 'restored', passed: true, seconds: 1, by: 'restore-1' }];
    const { s3, bucket, cluster } = world.lifeboat;
    const Body = JSON.stringify({ ...(await manifestOf(drilled)), drills: restored });
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: manifestKey(cluster, drilled), Body }));

    const answer = await world.lifeboat.pruneSnapshots();

    const { verdicts } = (answer.outcome === 'returned' ? answer.result : {}) as { verdicts: { id: string; because: string }[] };
    expect(verdicts.find(({ id }) => id === drilled)).toMatchObject({ action: 'keep', because: 'newest-drilled' });
    expect(verdicts.find(({ id }) => id === other)).toMatchObject({ action: 'remove' });
    const ages = (await world.cloud.metrics()).filter(({ metric }) => metric === 'DrillAge');
    expect(ages.at(-1)?.value).toBeLessThan(600);
  });

  test('refuses an event that does not fit, and a snapshot that there is not', async () => {
    expect(await world.lifeboat.drill({ snapshotId: 'latest' })).toMatchObject({ outcome: 'failed', error: { name: 'BadEvent' } });
    expect(await world.lifeboat.drill({ snapshotId: '20200101T000000Z-00000000' })).toMatchObject({
      outcome: 'failed',
      error: { name: 'SnapshotNotFound' },
    });
  });
});
