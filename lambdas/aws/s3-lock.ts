import type { S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { jsonOf } from '../contract/json';
import { lockKey } from '../contract/s3-keys';
import { S3Document } from './s3-document';

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
  private readonly stored: S3Document;

  constructor(
    s3: S3Client,
    private readonly place: LockPlace,
    private readonly now: () => Date,
  ) {
    this.stored = new S3Document(s3, place.bucket, lockKey(place.cluster, place.name), 'the lock');
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
    return { acquired: true, release: () => this.expire(holder, mine) };
  }

  /**
   * Gives back what `holder` holds, also when another process took it for him. What is free stays untouched: taking it, even for a moment, would
   * refuse whoever asks for it in that moment.
   *
   * @throws StoreFailed
   */
  async release(holder: string): Promise<void> {
    const { document, etag } = await this.read();
    if (document.holder === holder && new Date(document.expiresAt) > this.now()) await this.expire(holder, etag);
  }

  /** Whoever holds it now; undefined when nobody does. @throws StoreFailed */
  async holder(): Promise<string | undefined> {
    const { document } = await this.read();
    return new Date(document.expiresAt) > this.now() ? document.holder : undefined;
  }

  private async expire(holder: string, etag: string | undefined): Promise<void> {
    // Lost only when it had expired and somebody took it over: then it is theirs.
    await this.write(this.document(holder, 0), etag);
  }

  private document(holder: string, ttlMs: number): LockDocument {
    const now = this.now();
    return { holder, acquiredAt: now.toISOString(), expiresAt: new Date(now.getTime() + ttlMs).toISOString() };
  }

  private async read(): Promise<{ readonly document: LockDocument; readonly etag: string | undefined }> {
    const stored = await this.stored.read();
    // A damaged lock protects nothing and must not stop backups for ever: it counts as expired, as one does that was deleted meanwhile.
    const expired = { holder: 'unreadable', acquiredAt: '', expiresAt: new Date(0).toISOString() };
    return { document: LockDocument.safeParse(jsonOf(stored?.text ?? '')).data ?? expired, etag: stored?.etag };
  }

  private write(document: LockDocument, etag: string | undefined): Promise<string | undefined> {
    return this.stored.write(JSON.stringify(document), etag);
  }
}

const taken = ({ holder, expiresAt }: LockDocument): LockAttempt => ({ acquired: false, holder, expiresAt });
