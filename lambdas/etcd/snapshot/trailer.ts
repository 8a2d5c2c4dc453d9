import { createHash } from 'node:crypto';
import { SECTOR_BYTES, TRAILER_BYTES } from './layout';
import type { ProblemList } from './problems';
import type { SnapshotFile } from './snapshot-file';

const CHUNK_BYTES = 1 << 20;

/** Whether the size says that a SHA-256 follows the pages (etcdutl `snapshot/v3_snapshot.go`, `hasChecksum`). */
export const hasTrailer = (size: number): boolean => size % SECTOR_BYTES === TRAILER_BYTES;

export interface TrailerProblem {
  readonly code: 'trailer-missing' | 'trailer-mismatch';
  readonly message: string;
}

/** Says what is wrong with the trailer of a snapshot of `size` bytes, of which all but the last 32 have the given SHA-256. */
export function trailerProblem(size: number, trailer: Uint8Array, sha256: Uint8Array): TrailerProblem | undefined {
  if (!hasTrailer(size)) {
    const message = `the snapshot ends after ${size} bytes without the SHA-256 that etcd appends: it was cut off, or is no snapshot`;
    return { code: 'trailer-missing', message };
  }
  const [said, found] = [Buffer.from(trailer).toString('hex'), Buffer.from(sha256).toString('hex')];
  if (said === found) return undefined;
  const message = `the snapshot's trailer says SHA-256 ${said}, but its ${size - TRAILER_BYTES} bytes hash to ${found}`;
  return { code: 'trailer-mismatch', message };
}

/** SHA-256 of everything before the last 32 bytes; the event loop has its turn between the reads. */
async function digestOf(file: SnapshotFile): Promise<Buffer> {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const end = file.size - TRAILER_BYTES;
  for (let at = 0; at < end;) {
    const got = await file.read(chunk, 0, Math.min(chunk.length, end - at), at);
    if (got === 0) break;
    hash.update(chunk.subarray(0, got));
    at += got;
  }
  return hash.digest();
}

/** Compares the trailer with the digest of the bytes before it: the given one, or else one that is computed from the file. */
export async function checkTrailer(file: SnapshotFile, streamed: Uint8Array | undefined, problems: ProblemList): Promise<void> {
  const trailer = Buffer.alloc(TRAILER_BYTES);
  file.readSync(trailer, 0, TRAILER_BYTES, Math.max(0, file.size - TRAILER_BYTES));
  const digest = hasTrailer(file.size) ? (streamed ?? (await digestOf(file))) : NOT_NEEDED;
  const problem = trailerProblem(file.size, trailer, digest);
  if (problem !== undefined) problems.add(problem.code, problem.message);
}

const NOT_NEEDED = new Uint8Array();
