import { GetObjectCommand, PutObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { messageOf } from '../contract/lifeboat-error';
import { lockKey } from '../contract/s3-keys';
import { StoreFailed } from './errors';

const LockDocument = z.object({ holder: z.string(), acquiredAt: z.iso.datetime(), expiresAt: z.iso.datetime() });
type LockDocument = z.infer<typeof LockDocument>;

/** Writes that may be lost to others, or to a lost answer, before the lock counts as taken. */
const TRIES = 3;

export type LockAttempt =
  | { readonly acquired: true; readonly release: () => Promise<void> }
  | { readonly acquired: false; readonly holder: string; readonly expiresAt: string };

/** Where the lock lies and how long one holder may keep it without a sign of life. */
export interface LockPlace {
  readonly bucket: string;
  readonly cluster: string;
  readonly name: string;
  readonly ttlMs: number;
}

/**
 * An expiring lock by S3's conditional writes: created with If-None-Match, taken over and released with If-Match, so that two
 * writers can never both believe that they hold it. Released by writing an expiry in the past: no right to delete is needed.
 */
export class S3Lock {
  private readonly Key: string;

  constructor(
    private readonly s3: S3Client,
    private readonly place: LockPlace,
    private readonly now: () => Date,
  ) {
    this.Key = lockKey(place.cluster, place.name);
  }

  /**
   * @throws StoreFailed when S3 does not answer; a lock that somebody else holds is an answer, not an error
   */
  async acquire(holder: string): Promise<LockAttempt> {
    const wanted = this.document(holder, this.place.ttlMs);
    // Create first and read after: a role without the right to list cannot tell a missing object from a forbidden one.
    let etag = await this.write(wanted, undefined);
    for (let attempt = 1; etag === undefined; attempt++) {
      const current = await this.read();
      // The same holder: S3 did an earlier write and its answer was lost, or Lambda repeats a run that died with the lock.
      const held = current.document.holder !== holder && new Date(current.document.expiresAt) > this.now();
      if (held || attempt > TRIES) return taken(current.document);
      etag = await this.write(wanted, current.etag);
    }
    const mine = etag;
    return { acquired: true, release: () => this.release(holder, mine) };
  }

  private async release(holder: string, etag: string): Promise<void> {
    // Lost only when it had expired and somebody took it over: then it is theirs.
    await this.write(this.document(holder, 0), etag);
  }

  private document(holder: string, ttlMs: number): LockDocument {
    const now = this.now();
    return { holder, acquiredAt: now.toISOString(), expiresAt: new Date(now.getTime() + ttlMs).toISOString() };
  }

  private async read(): Promise<{ readonly document: LockDocument; readonly etag: string }> {
    try {
      const answer = await this.s3.send(new GetObjectCommand({ Bucket: this.place.bucket, Key: this.Key }));
      const text = (await answer.Body?.transformToString()) ?? '';
      // A damaged lock protects nothing and must not stop backups for ever: it counts as expired.
      return {
        document: parse(text) ?? { holder: 'unreadable', acquiredAt: '', expiresAt: new Date(0).toISOString() },
        etag: answer.ETag ?? '',
      };
    } catch (error) {
      throw this.failed('read', error);
    }
  }

  /** The new ETag, or undefined when somebody else wrote first (412, or 409 for a write at the same moment). */
  private async write(document: LockDocument, etag: string | undefined): Promise<string | undefined> {
    const condition = etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag };
    try {
      const { bucket } = this.place;
      const put = new PutObjectCommand({
        Bucket: bucket,
        Key: this.Key,
        Body: JSON.stringify(document),
        ContentType: 'application/json',
        ...condition,
      });
      return (await this.s3.send(put)).ETag ?? '';
    } catch (error) {
      const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
      if (status === 412 || status === 409) return undefined;
      throw this.failed('write', error);
    }
  }

  private failed(action: string, error: unknown): StoreFailed {
    return new StoreFailed(`cannot ${action} the lock s3://${this.place.bucket}/${this.Key}: ${messageOf(error)}`, { cause: error });
  }
}

const taken = ({ holder, expiresAt }: LockDocument): LockAttempt => ({ acquired: false, holder, expiresAt });

function parse(text: string): LockDocument | undefined {
  try {
    return LockDocument.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
