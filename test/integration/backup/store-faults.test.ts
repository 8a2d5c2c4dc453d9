import { AbortMultipartUploadCommand, CreateMultipartUploadCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { lockKey, snapshotKey } from '../../../lambdas/contract/s3-keys';
import type { FaultRule } from '../../../local/cloud/fault-proxy';
import { startWorld } from './world';
import type { World } from './world';

jest.setTimeout(180_000);

const always = 1000;
const unavailable = { kind: 'status', status: 503, code: 'SlowDown' } as const;

describe('take-snapshot, deployed, when S3 has a bad day', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ megabytes: 80 });
  });
  afterAll(() => world.stop());
  afterEach(() => world.cloud.faults.clear());

  test.each<[string, FaultRule]>([
    ['a part is answered 503 once', { operation: 'UploadPart', from: 2, fault: unavailable }],
    ['a connection is reset in the middle of a part', { operation: 'UploadPart', fault: { kind: 'reset', afterBytes: 1_000_000 } }],
    ['the answer to the completion is lost', { operation: 'CompleteMultipartUpload', fault: { kind: 'lose-answer' } }],
    ['the answer to the manifest is lost', { operation: 'PutObject', key: '/manifest.json', fault: { kind: 'lose-answer' } }],
    ['the answer to the lock is lost', { operation: 'PutObject', key: '/locks/backup.json', from: 2, fault: { kind: 'lose-answer' } }],
    [
      'the manifest is answered 500 once',
      { operation: 'PutObject', key: '/manifest.json', fault: { kind: 'status', status: 500, code: 'InternalError' } },
    ],
  ])('goes on when %s (peer failure 19)', async (_what, rule) => {
    const before = await world.traces();
    world.cloud.faults.inject(rule);

    const answer = await world.lifeboat.takeSnapshot();

    expect(answer).toMatchObject({ outcome: 'returned', result: { verified: true } });
    expect(world.cloud.faults.count(rule.operation)).toBeGreaterThan(rule.from ?? 1);
    expect(await world.traces()).toMatchObject({ listed: before.listed + 1, openUploads: 0 });
  });

  test.each<[string, FaultRule, RegExp]>([
    [
      'no part can be stored',
      { operation: 'UploadPart', times: always, fault: unavailable },
      /cannot upload s3:.*injected by the fault proxy/,
    ],
    [
      'the second part never arrives',
      { operation: 'UploadPart', from: 2, times: always, fault: { kind: 'reset', afterBytes: 100_000 } },
      /cannot upload s3:/,
    ],
    ['the upload cannot be completed', { operation: 'CompleteMultipartUpload', times: always, fault: unavailable }, /cannot upload s3:/],
    [
      'the object cannot be read back',
      { operation: 'HeadObject', times: always, fault: { kind: 'status', status: 403, code: 'AccessDenied' } },
      /cannot read back s3:/,
    ],
    [
      'the manifest cannot be stored',
      { operation: 'PutObject', key: '/manifest.json', times: always, fault: unavailable },
      /cannot publish s3:/,
    ],
  ])('lists nothing, leaves no upload and says so when %s (peer failure 20)', async (_what, rule, message) => {
    const before = await world.traces();
    world.cloud.faults.inject(rule);

    const answer = await world.lifeboat.takeSnapshot();

    world.cloud.faults.clear();
    expect(answer).toMatchObject({ outcome: 'failed', error: { name: 'StoreFailed', message: expect.stringMatching(message) as string } });
    expect(await world.traces()).toEqual({ ...before, openUploads: 0 });
    expect(await world.lifeboat.takeSnapshot()).toMatchObject({ outcome: 'returned' });
  });

  test('of two runs at once one is told that the other is at work, and one snapshot is listed (peer failure 8)', async () => {
    const before = await world.traces();
    world.cloud.faults.inject({ operation: 'UploadPart', fault: { kind: 'delay', ms: 3_000 } });

    const answers = await Promise.all([world.lifeboat.takeSnapshot(), world.lifeboat.takeSnapshot()]);

    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['failed', 'returned']);
    expect(answers).toContainEqual(expect.objectContaining({ error: expect.objectContaining({ name: 'BackupInProgress' }) as object }));
    expect(await world.traces()).toMatchObject({ listed: before.listed + 1, openUploads: 0 });
  });

  const lock = (expiresAt: Date) =>
    world.lifeboat.s3.send(
      new PutObjectCommand({
        Bucket: world.lifeboat.bucket,
        Key: lockKey(world.lifeboat.cluster, 'backup'),
        Body: JSON.stringify({
          holder: 'a run that was killed',
          acquiredAt: new Date(0).toISOString(),
          expiresAt: expiresAt.toISOString(),
        }),
      }),
    );

  test('a lock that was left behind holds until it expires, and no longer', async () => {
    await lock(new Date(Date.now() + 600_000));
    expect(await world.lifeboat.takeSnapshot()).toMatchObject({
      outcome: 'failed',
      error: { name: 'BackupInProgress', message: expect.stringMatching(/request a run that was killed is taking/) as string },
    });

    await lock(new Date(Date.now() - 1));
    expect(await world.lifeboat.takeSnapshot()).toMatchObject({ outcome: 'returned' });
  });

  test('an upload that a killed run left open is ended by the next run, and nobody else’s is', async () => {
    const { s3, bucket, cluster } = world.lifeboat;
    const open = (Key: string) => s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
    await open(snapshotKey(cluster, '20260101T000000Z-00000000'));
    const { Key, UploadId } = await open(snapshotKey(`${cluster}-2`, '20260101T000000Z-00000000'));

    await world.lifeboat.takeSnapshot();

    expect((await world.traces()).openUploads).toBe(1);
    await s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
  });

  test.each<[string, unknown, RegExp]>([
    ['an unknown trigger', { trigger: 'sometimes' }, /the event does not fit: trigger: /],
    ['a note that is too long', { trigger: 'manual', note: 'x'.repeat(501) }, /note: /],
    ['something else altogether', [1, 2], /the event does not fit/],
  ])('refuses %s before it does anything', async (_what, event, message) => {
    const before = await world.traces();

    expect(await world.lifeboat.takeSnapshot(event)).toMatchObject({
      outcome: 'failed',
      error: { name: 'BadEvent', message: expect.stringMatching(message) as string },
    });
    expect(await world.traces()).toEqual(before);
  });
});
