import type { RunningCrc } from './crc32c';
import { CrcMemory } from './crc32c';

const KIB = 1024;
/**
 * Leaf pages that lie close together are read at once up to here, and judged while they are still in the processor's cache: faster than
 * reading ahead on another thread, whose hand-over costs more than the read.
 */
export const RUN_BYTES = 512 * KIB;
/**
 * The largest page, with its overflow, that is judged. bbolt puts at least two entries on a page, and etcd refuses requests above
 * 1.5 MiB unless told otherwise, so that real pages stay below 4 MiB. The room is only touched, and so only costs memory, when used.
 */
export const MAX_PAGE_BYTES = 32 * 1024 * KIB;
/** An inline bucket lies inside a page, and bbolt keeps it below a quarter of one. */
export const MAX_INLINE_BYTES = 64 * KIB;

/** The only memory that pages are read into, whatever the size of the file; all offsets count from its start. */
export class PageMemory {
  readonly bytes: Buffer;
  /** The same bytes as 32-bit words in the machine's order, which is little endian wherever Node.js runs on Lambda. */
  readonly words: Uint32Array;
  readonly run = 0;
  readonly big = RUN_BYTES;
  readonly scratch = RUN_BYTES + MAX_PAGE_BYTES;
  private readonly memory: CrcMemory;

  /** @param hashes how many running CRCs will be asked for at most */
  constructor(hashes: number) {
    this.memory = new CrcMemory(this.scratch + MAX_INLINE_BYTES, hashes);
    this.bytes = this.memory.bytes;
    this.words = new Uint32Array(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length >>> 2);
  }

  running(): RunningCrc {
    return this.memory.running();
  }

  /** Copies bytes from elsewhere to the scratch room, so that they can be hashed or judged; returns their offset. */
  place(bytes: Buffer): number {
    bytes.copy(this.bytes, this.scratch, 0, Math.min(bytes.length, MAX_INLINE_BYTES));
    return this.scratch;
  }
}
