import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { Manifest } from '../../../lambdas/contract/manifest';
import { manifestKey, newSnapshotId, restoreKey, restoresPrefix, snapshotKey } from '../../../lambdas/contract/s3-keys';
import { waitUntil } from '../../../local/child-process';
import type { FaultRule } from '../../../local/cloud/fault-proxy';
import { fetchPlain } from '../../../local/demo/prove-snapshot';
import { snapshotStatus } from '../../../local/etcd/restored-member';
import { copySnapshot } from '../backup/copy-snapshot';
import { startWorld } from '../backup/world';
import type { World } from '../backup/world';

jest.setTimeout(240_000);

const MIB = 1024 * 1024;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('materialize-snapshot, deployed', () => {
  let world: World;
  let real: Manifest;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-test-'));
    // Compressed more than 8 MiB, so that it is read by more than one request, and plain many parts.
    world = await startWorld({ megabytes: 80 });
    await world.lifeboat.takeSnapshot();
    real = (await world.lifeboat.snapshots())[0]!;
  });
  afterAll(async () => {
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(() => world.cloud.faults.clear());

  let restores = 0;
  const newRestore = () => `restore-${++restores}`;
  const run = (restoreId: string, snapshotId = real.id, more = {}) =>
    world.lifeboat.materializeSnapshot({ restoreId, snapshotId, ...more });
  const place = (restoreId: string) => ({
    Bucket: world.lifeboat.bucket,
    Key: restoreKey(world.lifeboat.cluster, restoreId, 'snapshot.db'),
  });
  const fetched = async (restoreId: string) => {
    const { Body } = await world.lifeboat.s3.send(new GetObjectCommand(place(restoreId)));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };
  /** Versions and open uploads under the prefix of restores, for which this restore is to answer. */
  const leftBy = async (restoreId: string) => {
    const { s3, bucket, cluster } = world.lifeboat;
    const Prefix = `${restoresPrefix(cluster)}${restoreId}/`;
    const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix }));
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix }));
    return { versions: Versions.length, uploads: Uploads.length };
  };

  test('makes the very file that etcd sent, which etcdutl knows, tagged for the lifecycle', async () => {
    const restoreId = newRestore();

    const answer = await run(restoreId);

    const { Bucket, Key } = place(restoreId);
    expect(answer).toMatchObject({
      outcome: 'returned',
      result: { url: `s3://${Bucket}/${Key}`, bytes: real.plainBytes, sha256: real.plainSha256, was: 'made' },
    });
    const plain = await fetched(restoreId);
    expect(plain.length).toBeGreaterThan(40 * MIB);
    expect(sha256(plain)).toBe(real.plainSha256);
    const byOthers = await fetchPlain(world.cloud, world.lifeboat.bucket, real, folder);
    expect(plain.equals(readFileSync(byOthers.plain))).toBe(true);
    const file = path.join(folder, 'materialized.db');
    await writeFile(file, plain);
    expect(await snapshotStatus(file, '3.6')).toMatchObject({
      hash: real.statusHash,
      revision: real.revision,
      totalKeys: real.totalKeys,
    });
    const { TagSet } = await world.lifeboat.s3.send(new GetObjectTaggingCommand(place(restoreId)));
    expect(TagSet).toEqual([{ Key: 'lifeboat', Value: 'restore' }]);
  });

  test('does nothing a second time, and leaves half of its memory free', async () => {
    const restoreId = newRestore();
    await run(restoreId);
    const reads = world.cloud.faults.count('GetObject');

    expect(await run(restoreId)).toMatchObject({ outcome: 'returned', result: { was: 'there', sha256: real.plainSha256 } });

    // The manifest alone.
    expect(world.cloud.faults.count('GetObject')).toBe(reads + 1);
    expect(await leftBy(restoreId)).toEqual({ versions: 1, uploads: 0 });
    // Of 2048 MiB. How much of what is free V8 takes before it collects buffers hangs on the machine: 250 to 530 MiB were seen.
    expect(world.cloud.peakRssMiB(world.lifeboat.materializeSnapshotFunction)).toBeLessThan(1024);
  });

  const object = '/snapshot.db.zst';
  test.each<[string, FaultRule]>([
    ['a body breaks off', { operation: 'GetObject', key: object, fault: { kind: 'cut-answer', afterBytes: 1_500_000 } }],
    ['every body breaks off once', { operation: 'GetObject', key: object, times: 2, fault: { kind: 'cut-answer', afterBytes: 2_500_000 } }],
    ['a bit of a body is flipped on its way', { operation: 'GetObject', key: object, fault: { kind: 'damage-answer', atByte: 1_234_567 } }],
    ['a read is answered 503', { operation: 'GetObject', key: object, fault: { kind: 'status', status: 503, code: 'SlowDown' } }],
    ['a part is answered 500', { operation: 'UploadPart', from: 2, fault: { kind: 'status', status: 500, code: 'InternalError' } }],
    ['the answer to the completion is lost', { operation: 'CompleteMultipartUpload', fault: { kind: 'lose-answer' } }],
  ])('goes on when %s', async (_what, rule) => {
    const restoreId = newRestore();
    world.cloud.faults.inject(rule);

    const answer = await run(restoreId);

    expect(answer).toMatchObject({ outcome: 'returned', result: { was: 'made' } });
    expect(world.cloud.faults.count(rule.operation)).toBeGreaterThan(1);
    expect(sha256(await fetched(restoreId))).toBe(real.plainSha256);
    expect((await leftBy(restoreId)).uploads).toBe(0);
  });

  const denied = { kind: 'status', status: 403, code: 'AccessDenied' } as const;
  test.each<[string, FaultRule, RegExp]>([
    ['manifests cannot be read', { operation: 'GetObject', key: '/manifest.json', fault: denied }, /cannot read s3:.*manifest\.json: /],
    ['objects cannot be read', { operation: 'GetObject', key: object, times: 1000, fault: denied }, /cannot read s3:.*snapshot\.db\.zst: /],
    ['it cannot be told what is there', { operation: 'HeadObject', fault: denied }, /cannot look for s3:/],
    ['a part is refused', { operation: 'UploadPart', from: 3, times: 1000, fault: denied }, /cannot upload s3:.*snapshot\.db: /],
    ['the completion is refused', { operation: 'CompleteMultipartUpload', fault: denied }, /cannot upload s3:/],
  ])('leaves nothing and says so when %s', async (_what, rule, message) => {
    const restoreId = newRestore();
    world.cloud.faults.inject(rule);

    expect(await run(restoreId)).toMatchObject({
      outcome: 'failed',
      error: { name: 'StoreFailed', message: expect.stringMatching(message) as string },
    });
    expect(await leftBy(restoreId)).toEqual({ versions: 0, uploads: 0 });
  });

  /** A copy of the real snapshot whose stored object was changed since it was published. */
  const damagedCopy = async (change: (bytes: Buffer) => Buffer) => {
    const { s3, bucket, cluster } = world.lifeboat;
    const id = await copySnapshot(world.lifeboat, real, 1);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: snapshotKey(cluster, id) }));
    const changed = change(Buffer.from((await Body?.transformToByteArray()) ?? []));
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: snapshotKey(cluster, id), Body: changed }));
    return id;
  };

  test.each<[string, (bytes: Buffer) => Buffer, string, RegExp]>([
    ['a bit flipped in its middle', flipBit, 'StoredSnapshotDamaged', /the frame at byte \d+ of .* does not decompress/],
    [
      'lost its end',
      (bytes) => bytes.subarray(0, bytes.length - 100_000),
      'StoredSnapshotDamaged',
      / has \d+ bytes, and its manifest counts on byte \d+/,
    ],
  ])('refuses an object that %s, leaves nothing, and names the snapshot to try', async (_what, change, name, message) => {
    const restoreId = newRestore();
    const id = await damagedCopy(change);

    const answer = await run(restoreId, id);

    expect(answer).toMatchObject({ outcome: 'failed', error: { name, message: expect.stringMatching(message) as string } });
    expect(answer).toMatchObject({
      error: { message: expect.stringContaining(`try ${real.id}, the newest other verified one`) as string },
    });
    expect(await leftBy(restoreId)).toEqual({ versions: 0, uploads: 0 });
  });

  test.each<[string, Partial<Manifest>, object, string]>([
    ['whose manifest is of another cluster', { cluster: 'demo-2' }, {}, 'SnapshotOfOtherCluster'],
    ['that was not verified', { verified: false }, {}, 'SnapshotNotVerified'],
    ['whose manifest names other bytes', { plainSha256: '0'.repeat(64) }, {}, 'StoredSnapshotDamaged'],
    ['whose frames do not add up', { plainBytes: 17 }, {}, 'ManifestDamaged'],
  ])('refuses a snapshot %s', async (_what, overrides, more, name) => {
    const restoreId = newRestore();
    const id = await copySnapshot(world.lifeboat, real, 2, overrides);

    expect(await run(restoreId, id, more)).toMatchObject({ outcome: 'failed', error: { name } });
    expect(await leftBy(restoreId)).toEqual({ versions: 0, uploads: 0 });
  });

  test('refuses a snapshot that there is not, one without its object, and an event that does not fit', async () => {
    const { s3, bucket, cluster } = world.lifeboat;
    const missing = newSnapshotId(new Date(0), randomBytes(4));
    expect(await run(newRestore(), missing)).toMatchObject({ outcome: 'failed', error: { name: 'SnapshotNotFound' } });

    const manifest = { Bucket: bucket, Key: manifestKey(cluster, missing) };
    await s3.send(new PutObjectCommand({ ...manifest, Body: JSON.stringify({ ...real, id: missing }) }));
    expect(await run(newRestore(), missing)).toMatchObject({
      outcome: 'failed',
      error: { name: 'SnapshotNotFound', message: expect.stringContaining('has a manifest and no object') as string },
    });

    expect(await run('../snapshots')).toMatchObject({ outcome: 'failed', error: { name: 'BadEvent' } });
  });

  test('takes one that was not verified when it is told to', async () => {
    const id = await copySnapshot(world.lifeboat, real, 3, { verified: false });

    expect(await run(newRestore(), id, { allowUnverified: true })).toMatchObject({ outcome: 'returned', result: { was: 'made' } });
  });

  test('killed in the middle it leaves no object, and the next run makes one', async () => {
    const restoreId = newRestore();
    const { materializeSnapshotFunction } = world.lifeboat;
    const reached = Promise.withResolvers<undefined>();
    const act = () => {
      reached.resolve(undefined);
      world.cloud.killFunction(materializeSnapshotFunction);
    };
    world.cloud.faults.inject({ operation: 'UploadPart', from: 3, fault: { kind: 'meanwhile', act } });

    expect(await run(restoreId)).toMatchObject({ outcome: 'failed' });

    await reached.promise;
    await waitUntil(
      'the killed function is gone',
      10_000,
      async () => world.cloud.processesOf(materializeSnapshotFunction).length === 0,
      50,
    );
    expect((await leftBy(restoreId)).versions).toBe(0);
    world.cloud.faults.clear();
    expect(await run(restoreId)).toMatchObject({ outcome: 'returned', result: { was: 'made' } });
    expect(sha256(await fetched(restoreId))).toBe(real.plainSha256);
  });

  test('pruning neither counts nor touches it', async () => {
    const restoreId = newRestore();
    await run(restoreId);

    await world.lifeboat.pruneSnapshots();

    expect((await leftBy(restoreId)).versions).toBe(1);
  });
});

function flipBit(bytes: Buffer): Buffer {
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  return bytes;
}
