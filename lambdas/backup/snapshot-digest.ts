import { createHash } from 'node:crypto';
import { TRAILER_BYTES, trailerProblem } from '../etcd/snapshot';
import { SnapshotTruncated } from './errors';

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
    const sha256 = this.hash.copy().digest();
    const problem = trailerProblem(this.bytes, this.held, sha256);
    if (problem !== undefined) throw new SnapshotTruncated(problem.message);
    return { plainBytes: this.bytes, plainSha256: this.hash.update(this.held).digest('hex'), databaseSha256: sha256.toString('hex') };
  }
}
