import { constants, crc32, zstdCompress, zstdDecompress } from 'node:zlib';
import { promisify } from 'node:util';
import { StoredBytesDiffer } from './errors';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Plain bytes of one frame: small enough that a few in flight stay cheap, large enough that zstd loses no ratio to its window. */
export const FRAME_BYTES = 4 * 1024 * 1024;
/** Frames being compressed at once: libuv has four threads, and one is left for the disk. */
const IN_FLIGHT = 3;

export interface Frame {
  readonly plainBytes: number;
  readonly stored: Buffer;
}

/**
 * Buffers of one size that are used again: left to the garbage collector, blocks of 4 MiB pile up faster than it looks.
 */
export class BlockPool {
  private readonly free: Buffer[] = [];
  constructor(readonly size: number) {}

  take(): Buffer {
    return this.free.pop() ?? Buffer.allocUnsafeSlow(this.size);
  }

  /** @param block from `take`, or a view of its beginning; nobody may use it any more */
  give(block: Buffer): void {
    this.free.push(Buffer.from(block.buffer));
  }
}

/** Regroups chunks of any size into blocks of the pool's size, the last one shorter. Each block is its receiver's to give back. */
export async function* blocksOf(chunks: AsyncIterable<Uint8Array>, pool: BlockPool): AsyncGenerator<Buffer> {
  let block = pool.take();
  let used = 0;
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length;) {
      const take = Math.min(pool.size - used, chunk.length - from);
      block.set(chunk.subarray(from, from + take), used);
      used += take;
      from += take;
      if (used === pool.size) {
        yield block;
        block = pool.take();
        used = 0;
      }
    }
  }
  if (used > 0) yield block.subarray(0, used);
}

/**
 * One independent zstd frame per block (RFC 8878 §3.1), so that `zstd -d` reads the whole and a range reader any part.
 *
 * Every frame is decompressed again and compared before it leaves: what S3 holds is then known to give back what was checked.
 *
 * @throws StoredBytesDiffer when a frame does not decompress to its block
 */
export async function frameOf(block: Buffer, level: number): Promise<Frame> {
  const stored = await compress(block, {
    chunkSize: 1024 * 1024,
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_checksumFlag]: 1,
      [constants.ZSTD_c_contentSizeFlag]: 1,
    },
    pledgedSrcSize: block.length,
  });
  const back = await decompress(stored, { chunkSize: block.length, maxOutputLength: block.length });
  if (!block.equals(back)) throw new StoredBytesDiffer('a zstd frame does not decompress to what went in: memory or libzstd is at fault');
  return { plainBytes: block.length, stored };
}

/**
 * What one frame holds, by the library that the backup proved it with.
 *
 * @param plainBytes that it must hold
 * @throws a plain Error when the frame is not whole: each carries a checksum of what it holds
 */
export async function plainOf(stored: Buffer, plainBytes: number): Promise<Buffer> {
  const plain = await decompress(stored, { chunkSize: plainBytes, maxOutputLength: plainBytes });
  if (plain.length !== plainBytes) throw new Error(`the frame holds ${plain.length} bytes, ${plainBytes} were stored`);
  return plain;
}

/** Applies `work` to up to `atOnce` items at once and yields the results in their order. */
export async function* inOrder<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<R>,
  atOnce = IN_FLIGHT,
): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const result = work(item);
      result.catch(() => undefined); // awaited below, in its turn: until then a failure must not count as unhandled
      running.push(result);
      if (running.length >= atOnce) yield await (running.shift() as Promise<R>);
    }
    while (running.length > 0) yield await (running.shift() as Promise<R>);
  } finally {
    await Promise.allSettled(running);
  }
}

/** Yields every item but holds the last one back until `gate` has passed; when the gate throws, the last item never leaves. */
export async function* holdBackLast<T>(items: AsyncIterable<T>, gate: () => Promise<void>): AsyncGenerator<T> {
  let held: { readonly item: T } | undefined;
  for await (const item of items) {
    if (held) yield held.item;
    held = { item };
  }
  await gate();
  if (held) yield held.item;
}

/** Counts what leaves towards the store: the frame index and the CRC-32 that S3 must report for the whole object. */
export class StoredTally {
  readonly frames: [plainBytes: number, storedBytes: number][] = [];
  bytes = 0;
  private crc = 0;

  add(frame: Frame): void {
    this.frames.push([frame.plainBytes, frame.stored.length]);
    this.bytes += frame.stored.length;
    this.crc = crc32(frame.stored, this.crc);
  }

  /** Eight hex digits. */
  get crc32(): string {
    return hexOfCrc(this.crc);
  }
}

/** A CRC-32 as manifests write it: eight hex digits. */
export const hexOfCrc = (crc: number): string => crc.toString(16).padStart(8, '0');
