import { SnapshotDigest } from './snapshot-digest';
import type { DigestResult } from './snapshot-digest';
import type { Disk, ObjectLock, SnapshotStore, StoredObject } from './edges';
import { SnapshotTooLarge, StoredBytesDiffer } from './errors';
import { BlockPool, FRAME_BYTES, StoredTally, blocksOf, frameOf, holdBackLast, inOrder } from './zstd-frames';

/** Level 1 stores 1 % more than zstd's default of 3 on Kubernetes data, for two thirds of the time: docs/performance.md. */
const ZSTD_LEVEL = 1;

type OpenSpool = Awaited<ReturnType<Disk['open']>>;

export interface StreamedSnapshot {
  readonly digest: DigestResult;
  readonly tally: StoredTally;
  readonly stored: StoredObject;
}

/**
 * Runs one snapshot stream through everything at once: digest, disk, zstd frames, multipart upload.
 *
 * The last frame is held back until `verify` has passed on the file that was spooled, so that S3 can only ever hold the
 * bytes of a file that was checked: a stream that breaks, a trailer that does not fit or a damaged page makes the upload
 * end without an object. Memory is a few frames and parts, whatever the size.
 *
 * @param maxBytes more than this and the run ends with SnapshotTooLarge instead of filling the disk
 * @throws SnapshotTruncated, SnapshotTooLarge, StoredBytesDiffer, and what the stream, the spool, the store and `verify` throw
 */
export async function streamSnapshot(
  source: AsyncIterable<Uint8Array>,
  spool: OpenSpool,
  store: SnapshotStore,
  id: string,
  maxBytes: number,
  lock: ObjectLock,
  verify: (digest: DigestResult) => Promise<void>,
): Promise<StreamedSnapshot> {
  const running = new SnapshotDigest();
  const tally = new StoredTally();
  const pool = new BlockPool(FRAME_BYTES);
  let digest: DigestResult | undefined;

  async function* spooled(): AsyncGenerator<Buffer> {
    let total = 0;
    for await (const block of blocksOf(source, pool)) {
      total += block.length;
      if (total > maxBytes)
        throw new SnapshotTooLarge(`the snapshot is larger than ${maxBytes} bytes: raise backup.maxDbSizeGiB and deploy again`);
      running.update(block);
      await spool.write(block);
      yield block;
    }
    await spool.finish();
    digest = running.finish();
  }
  const gate = async () => {
    if (digest) await verify(digest);
  };
  async function* body(): AsyncGenerator<Buffer> {
    const frames = inOrder(spooled(), async (block) => {
      const frame = await frameOf(block, ZSTD_LEVEL);
      pool.give(block);
      return frame;
    });
    for await (const frame of holdBackLast(frames, gate)) {
      tally.add(frame);
      yield frame.stored;
    }
  }

  const stored = await store.storeSnapshot(id, body(), lock);
  if (!digest) throw new StoredBytesDiffer('the store took the snapshot without reading it to its end');
  if (stored.bytes !== tally.bytes || stored.crc32 !== tally.crc32) {
    throw new StoredBytesDiffer(
      `S3 holds ${stored.bytes} bytes with CRC-32 ${stored.crc32}, but ${tally.bytes} bytes with CRC-32 ${tally.crc32} were sent`,
    );
  }
  return { digest, tally, stored };
}
