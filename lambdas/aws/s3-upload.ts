import { once } from 'node:events';
import { Readable } from 'node:stream';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import type { CreateMultipartUploadCommandInput, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { StoredObject } from '../backup/edges';
import { messageOf } from '../contract/lifeboat-error';
import { StoreFailed } from './errors';

/** 10,000 parts of 8 MiB are 78 GiB, far above etcd's largest database; three in flight fill a Lambda's link. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_IN_FLIGHT = 3;

/**
 * Stores a stream under a key, and tells what S3 says of it then. When `body` throws, nothing is stored and no upload stays open.
 *
 * @param upload where to, and what is said of the object
 * @throws StoreFailed with the S3 operation's own reason; what `body` throws passes through unchanged
 */
export async function storeInParts(
  s3: S3Client,
  upload: CreateMultipartUploadCommandInput & { readonly Bucket: string; readonly Key: string },
  body: AsyncIterable<Buffer>,
): Promise<StoredObject> {
  const { Bucket, Key } = upload;
  const watched = new WatchedBody(body);
  const parts = new Upload({
    client: s3,
    params: {
      ...upload,
      Body: watched.stream,
      // One CRC-32 over the whole object, computed by S3 itself, whatever the parts were.
      ChecksumAlgorithm: 'CRC32',
      ChecksumType: 'FULL_OBJECT',
    },
    partSize: PART_BYTES,
    queueSize: PARTS_IN_FLIGHT,
  });
  try {
    await parts.done();
  } catch (error) {
    await watched.end();
    // A body that failed ended the upload on purpose; its own error is the one to tell.
    if (watched.failure !== undefined) throw watched.failure;
    throw new StoreFailed(`cannot upload s3://${Bucket}/${Key}: ${messageOf(error)}`, { cause: error });
  }
  return head(s3, Bucket, Key);
}

async function head(s3: S3Client, Bucket: string, Key: string): Promise<StoredObject> {
  try {
    const found = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    return {
      bytes: found.ContentLength ?? 0,
      crc32: crcHex(found.ChecksumCRC32),
      ...(found.VersionId === undefined ? {} : { versionId: found.VersionId }),
    };
  } catch (error) {
    throw new StoreFailed(`cannot read back s3://${Bucket}/${Key}: ${messageOf(error)}`, { cause: error });
  }
}

/** S3 gives base64 of four big-endian bytes; a composite checksum (`…-7`) is not one over the object and must not pass for it. */
function crcHex(base64: string | undefined): string {
  if (base64 === undefined) return 'none';
  return base64.includes('-') ? `composite ${base64}` : Buffer.from(base64, 'base64').toString('hex');
}

/**
 * A body that remembers why it failed, and that can be ended from outside: when every uploader has given up, nobody reads the
 * rest, and the stream behind it would stay open.
 */
class WatchedBody {
  readonly stream: Readable;
  failure: Error | undefined;

  constructor(body: AsyncIterable<Buffer>) {
    this.stream = Readable.from(this.watch(body), { objectMode: false });
  }

  async end(): Promise<void> {
    if (this.stream.closed) return;
    const closed = once(this.stream, 'close').catch(() => undefined);
    this.stream.destroy();
    await closed;
  }

  private async *watch(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const blocks = body[Symbol.asyncIterator]();
    try {
      for (let next = await this.pull(blocks); next.done !== true; next = await this.pull(blocks)) yield next.value;
    } finally {
      await blocks.return?.();
    }
  }

  /** What is thrown in from outside, where uploaders gave up, is not the body's own failure. */
  private async pull(blocks: AsyncIterator<Buffer, unknown>): Promise<IteratorResult<Buffer, unknown>> {
    try {
      return await blocks.next();
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(messageOf(error));
      throw this.failure;
    }
  }
}
