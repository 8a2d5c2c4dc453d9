// What leaves for S3: the local cloud takes the lock of a multipart upload and forgets it.
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { S3SnapshotStore } from '../../lambdas/aws/s3-snapshot-store';
import { manifest } from '../backup/snapshots';

const ID = '20261116T120000Z-00000001';
const s3 = mockClient(S3Client);
const store = new S3SnapshotStore(new S3Client({ region: 'eu-central-1' }), 'bucket', 'prod');

beforeEach(() => {
  s3.reset();
  s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'upload' });
  s3.on(UploadPartCommand).resolves({ ETag: 'part' });
  s3.on(CompleteMultipartUploadCommand).resolves({});
  s3.on(PutObjectCommand).resolves({});
  s3.on(HeadObjectCommand).resolves({ ContentLength: 1, ChecksumCRC32: 'AAAAAA==' });
});

async function* bytes(megabytes: number): AsyncGenerator<Buffer> {
  for (let n = 0; n < megabytes; n++) yield Buffer.alloc(1024 * 1024);
}

const until = '2026-11-23T12:00:00.000Z';
const RetainUntil = new Date(until);

test.each([
  ['in parts', 20, CreateMultipartUploadCommand],
  ['at once', 1, PutObjectCommand],
] as const)('a snapshot that is uploaded %s is locked with a checksum beside', async (_how, megabytes, first) => {
  await store.storeSnapshot(ID, bytes(megabytes), { mode: 'governance', until });

  expect(s3.commandCalls(first as typeof CreateMultipartUploadCommand)[0]?.args[0].input).toMatchObject({
    ObjectLockMode: 'GOVERNANCE',
    ObjectLockRetainUntilDate: RetainUntil,
    ChecksumAlgorithm: 'CRC32',
  });
});

test('a manifest is locked as it says of itself', async () => {
  await store.publish(manifest({ id: ID, lock: { mode: 'compliance', until } }));

  expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input).toMatchObject({
    ObjectLockMode: 'COMPLIANCE',
    ObjectLockRetainUntilDate: RetainUntil,
    ChecksumAlgorithm: 'SHA256',
  });
});
