import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { messageOf } from '../contract/lifeboat-error';
import { StoreFailed } from './errors';

/** What these functions keep is a few hundred bytes to some KiB; whatever is larger was not written by them. */
const MOST_BYTES = 1024 * 1024;

export interface StoredText {
  readonly text: string;
  readonly etag: string;
}

/** How S3 holds the new version against deletion. */
export type LockParameters = Pick<PutObjectCommandInput, 'ObjectLockMode' | 'ObjectLockRetainUntilDate'>;

/** One small object with several writers, each of which writes only over what it has read: S3's conditional writes. */
export class S3Document {
  constructor(
    private readonly s3: S3Client,
    private readonly bucket: string,
    private readonly key: string,
    /** What it is, for messages: `the lock`. */
    private readonly what: string,
  ) {}

  /**
   * Undefined when there is none. An object that is far too large is given without its text, since no reader could hold it.
   *
   * @throws StoreFailed, also where the role lacks the right to list and S3 cannot say that there is none
   */
  async read(): Promise<StoredText | undefined> {
    try {
      const { Body, ContentLength = 0, ETag = '' } = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: this.key }));
      if (ContentLength > MOST_BYTES) {
        // Unread, it would hold its connection for ever.
        if (Body !== undefined && 'destroy' in Body) Body.destroy();
        return { text: '', etag: ETag };
      }
      return { text: (await Body?.transformToString()) ?? '', etag: ETag };
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw this.failed('read', error);
    }
  }

  /**
   * Writes over the version with that ETag, or where there is none. The new ETag, or undefined when somebody else wrote first (412, or 409
   * for a write at the same moment). That somebody may be this very call: the SDK repeats a write whose answer was lost.
   *
   * @throws StoreFailed
   */
  async write(text: string, over: string | undefined, lock?: LockParameters): Promise<string | undefined> {
    const condition = over === undefined ? { IfNoneMatch: '*' } : { IfMatch: over };
    try {
      const put = new PutObjectCommand({
        Bucket: this.bucket,
        Key: this.key,
        Body: text,
        ContentType: 'application/json',
        ...condition,
        // S3 asks for a checksum beside a lock.
        ...(lock && { ...lock, ChecksumAlgorithm: 'SHA256' }),
      });
      return (await this.s3.send(put)).ETag ?? '';
    } catch (error) {
      const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
      // 404: it was deleted since it was read, and If-Match has nothing to compare with (Amazon S3 User Guide, "conditional writes").
      if (status === 412 || status === 409 || (status === 404 && over !== undefined)) return undefined;
      throw this.failed('write', error);
    }
  }

  private failed(action: string, error: unknown): StoreFailed {
    return new StoreFailed(`cannot ${action} ${this.what} s3://${this.bucket}/${this.key}: ${messageOf(error)}`, { cause: error });
  }
}
