import { createHash } from 'node:crypto';
import { SECTOR_BYTES, TRAILER_BYTES } from './layout';
import type { ProblemList } from './problems';
import type { SnapshotFile } from './snapshot-file';

const CHUNK_BYTES = 1 << 20;

/** Whether the size says that a SHA-256 follows the pages (etcdutl `snapshot/v3_snapshot.go`, `hasChecksum`). */
export const hasTrailer = (size: number): boolean => size % SECTOR_BYTES === TRAILER_BYTES;

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
  if (!hasTrailer(file.size)) {
    problems.add(
      'trailer-missing',
      `${file.size} bytes are not whole sectors of ${SECTOR_BYTES} and a SHA-256 of ${TRAILER_BYTES}: no etcd snapshot, or cut off`,
    );
    return;
  }
  const trailer = Buffer.alloc(TRAILER_BYTES);
  file.readSync(trailer, 0, TRAILER_BYTES, file.size - TRAILER_BYTES);
  const digest = streamed === undefined ? await digestOf(file) : Buffer.from(streamed);
  if (!trailer.equals(digest))
    problems.add('trailer-mismatch', `the trailer says SHA-256 ${trailer.toString('hex')}, the bytes give ${digest.toString('hex')}`);
}
