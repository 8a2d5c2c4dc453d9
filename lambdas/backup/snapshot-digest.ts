import { createHash } from 'node:crypto';
import { SnapshotTruncated } from './errors';

/** Length of the SHA-256 that etcd appends to a snapshot (etcd server/etcdserver/api/v3rpc/maintenance.go, `Snapshot`). */
export const TRAILER_BYTES = 32;
/** A bbolt file is whole pages, each at least 512 bytes: what is left over is the trailer (etcdutl/snapshot/v3_snapshot.go, `hasChecksum`). */
const PAGE_UNIT = 512;

export interface DigestResult {
  /** Bytes of the file with its trailer. */
  readonly plainBytes: number;
  /** SHA-256 of the file with its trailer, hex. */
  readonly plainSha256: string;
  /** SHA-256 of the database alone, which the trailer repeats, hex. */
  readonly databaseSha256: string;
}

/** Hashes a snapshot once while it streams by, and judges the trailer at the end. */
export class SnapshotDigest {
  private readonly hash = createHash('sha256');
  private bytes = 0;
  /** The newest bytes are held back from the hash: they may be the trailer. */
  private held = Buffer.alloc(0);

  update(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    if (chunk.length >= TRAILER_BYTES) {
      this.hash.update(this.held);
      this.hash.update(chunk.subarray(0, chunk.length - TRAILER_BYTES));
      this.held = Buffer.from(chunk.subarray(chunk.length - TRAILER_BYTES));
      return;
    }
    const joined = Buffer.concat([this.held, chunk]);
    const settled = Math.max(0, joined.length - TRAILER_BYTES);
    this.hash.update(joined.subarray(0, settled));
    this.held = joined.subarray(settled);
  }

  /**
   * @throws SnapshotTruncated when the stream does not end in a trailer that fits what came before it
   */
  finish(): DigestResult {
    if (this.bytes === 0) throw new SnapshotTruncated('the member sent an empty snapshot');
    if (this.bytes % PAGE_UNIT !== TRAILER_BYTES) {
      throw new SnapshotTruncated(`the snapshot ends after ${this.bytes} bytes without the SHA-256 that etcd appends: it was cut off`);
    }
    const databaseSha256 = this.hash.copy().digest('hex');
    const trailer = this.held.toString('hex');
    if (trailer !== databaseSha256) {
      throw new SnapshotTruncated(
        `the snapshot's trailer says SHA-256 ${trailer}, but its ${this.bytes - TRAILER_BYTES} bytes hash to ${databaseSha256}`,
      );
    }
    return { plainBytes: this.bytes, plainSha256: this.hash.update(this.held).digest('hex'), databaseSha256 };
  }
}
