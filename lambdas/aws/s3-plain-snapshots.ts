import { GetObjectCommand, HeadObjectCommand, NotFound } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { messageOf } from '../contract/lifeboat-error';
import { RESTORE_TAG, restoreKey } from '../contract/s3-keys';
import { StoreFailed } from './errors';
import { BodyFailed, uploadWatched } from './watched-upload';

/** 10,000 parts of 16 MiB are far above the largest database; three in flight fill a Lambda's link. */
const PART_BYTES = 16 * 1024 * 1024;
const PARTS_IN_FLIGHT = 3;
/** The body of an answer breaks more often than a request is refused, and the SDK repeats only the latter. */
const BODY_TRIES = 4;
const SHA256 = 'sha256';

/** Snapshots as nodes download them, and the stored bytes that they are made from. */
export class S3PlainSnapshots {
  constructor(
    private readonly s3: S3Client,
    private readonly bucket: string,
    private readonly cluster: string,
  ) {}

  url(restoreId: string): string {
    return `s3://${this.bucket}/${this.key(restoreId)}`;
  }

  /** @throws StoreFailed */
  async readRange(key: string, from: number, bytes: number): Promise<Buffer> {
    const request = new GetObjectCommand({ Bucket: this.bucket, Key: key, Range: `bytes=${from}-${from + bytes - 1}` });
    for (let attempt = 1; ; attempt++) {
      try {
        const { Body } = await this.s3.send(request);
        return Buffer.from((await Body?.transformToByteArray()) ?? []);
      } catch (error) {
        if (attempt === BODY_TRIES) throw this.failed(`read ${bytes} bytes from ${from} on of`, key, error);
      }
    }
  }

  /** @throws StoreFailed */
  async stored(restoreId: string): Promise<{ readonly bytes: number; readonly sha256: string } | undefined> {
    const Key = this.key(restoreId);
    try {
      const { ContentLength = 0, Metadata } = await this.s3.send(new HeadObjectCommand({ Bucket: this.bucket, Key }));
      return { bytes: ContentLength, sha256: Metadata?.[SHA256] ?? '' };
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw this.failed('look at', Key, error);
    }
  }

  /** @throws StoreFailed, or what `body` throws: nothing is stored then */
  async store(restoreId: string, sha256: string, body: AsyncIterable<Buffer>): Promise<{ readonly url: string }> {
    const Key = this.key(restoreId);
    const { key, value } = RESTORE_TAG;
    const params = {
      Bucket: this.bucket,
      Key,
      ContentType: 'application/octet-stream',
      ChecksumAlgorithm: 'CRC32' as const,
      ChecksumType: 'FULL_OBJECT' as const,
      Metadata: { [SHA256]: sha256 },
      // The lifecycle takes it away: it holds every secret of the cluster and can be made again.
      Tagging: `${key}=${value}`,
    };
    try {
      await uploadWatched(this.s3, { params, body, partBytes: PART_BYTES, partsInFlight: PARTS_IN_FLIGHT });
      return { url: this.url(restoreId) };
    } catch (error) {
      throw error instanceof BodyFailed ? error.cause : this.failed('upload', Key, error);
    }
  }

  private key(restoreId: string): string {
    return restoreKey(this.cluster, restoreId, 'snapshot.db');
  }

  private failed(action: string, key: string, error: unknown): StoreFailed {
    return new StoreFailed(`cannot ${action} s3://${this.bucket}/${key}: ${messageOf(error)}`, { cause: error });
  }
}
