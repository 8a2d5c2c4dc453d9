import { crcModule, LAGS, OVERRUN } from './crc32c-module';

const POLYNOMIAL_REFLECTED = 0x82f63b78;
const WASM_PAGE = 65_536;
/** How much of the folded message is kept before its end is moved back to the start. */
const WINDOW = 1 << 17;
const REGION = WINDOW + OVERRUN;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL_REFLECTED : crc >>> 1;
  return crc;
});

/** Four bytes that bring an all-zero register to the all-ones one that a CRC-32C starts from. */
const ALL_ONES_PREFIX = [0x54, 0x64, 0x1f, 0x64];

function plainCrc(register: number, bytes: Uint8Array, end: number): number {
  for (let i = 0; i < end; i++) register = (TABLE[(register ^ (bytes[i] ?? 0)) & 255] ?? 0) ^ (register >>> 8);
  return register;
}

/** CRC-32C (Castagnoli) as eight hex digits, the way etcd's tools show a hash. */
export const crcText = (crc: number): string => (crc >>> 0).toString(16).padStart(8, '0');

/** One running CRC-32C over bytes that lie in the memory of its {@link CrcMemory}. */
export interface RunningCrc {
  /** Appends the bytes [start, end) of the memory. The OVERRUN bytes behind `end` must be inside the memory, their value is free. */
  update(start: number, end: number): void;
  /** The CRC of everything so far, as an unsigned 32-bit number; more may follow. */
  value(): number;
}

/**
 * A block of memory whose bytes can be hashed in place, faster than a table-driven CRC by a factor of three or more.
 *
 * `bytes` is for the caller: `size` bytes plus room for the overrun of the hash loop. It stays untouched by the operating system
 * until it is used, so a generous size costs nothing.
 */
export class CrcMemory {
  readonly bytes: Buffer;
  private readonly all: Uint8Array;
  private readonly fold: (history: number, source: number, bytes: number) => void;
  private regions = 0;

  /** @param size bytes for the caller; @param streams how many running CRCs will be asked for at most */
  constructor(
    size: number,
    private readonly streams: number,
  ) {
    const reserved = streams * REGION;
    const pages = Math.ceil((reserved + size + OVERRUN) / WASM_PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(crcModule(pages)), { env: { memory } });
    this.fold = instance.exports.fold;
    this.all = new Uint8Array(memory.buffer);
    this.bytes = Buffer.from(memory.buffer, reserved, size);
  }

  /** A new running CRC-32C over ranges of `bytes`. */
  running(): RunningCrc {
    if (this.regions >= this.streams)
      throw new RangeError(`this memory was made for ${this.streams} running CRCs: ask for more in the constructor`);
    const region = this.regions++ * REGION;
    return new FoldedCrc(this.all, region, this.bytes.byteOffset, this.fold);
  }
}

/**
 * Keeps the message folded (see crc32c-module.ts): `all[region + FAR ...]` holds the message with every byte XORed by the
 * removed bytes before it. Only the last FAR bytes still count; {@link value} finishes those with a plain table.
 */
class FoldedCrc implements RunningCrc {
  private end: number;

  constructor(
    private readonly all: Uint8Array,
    private readonly region: number,
    private readonly base: number,
    private readonly fold: (history: number, source: number, bytes: number) => void,
  ) {
    all.fill(0, region, region + LAGS.far);
    all.set(ALL_ONES_PREFIX, region + LAGS.far);
    this.end = region + LAGS.far + ALL_ONES_PREFIX.length;
  }

  update(start: number, end: number): void {
    let source = this.base + start;
    for (let left = end - start; left > 0;) {
      let room = this.region + WINDOW - this.end;
      if (room === 0) {
        this.all.copyWithin(this.region, this.end - LAGS.far, this.end);
        this.end = this.region + LAGS.far;
        room = WINDOW - LAGS.far;
      }
      const bytes = Math.min(left, room);
      this.fold(this.end - LAGS.far, source, bytes);
      this.end += bytes;
      source += bytes;
      left -= bytes;
    }
  }

  value(): number {
    const first = this.end - LAGS.far;
    const rest = this.all.slice(first, this.end);
    // The bytes still in the remainder were folded into each other by `fold`, although none of them has been removed.
    for (let i = LAGS.near; i < LAGS.far; i++) {
      rest[i] = (rest[i] ?? 0) ^ (this.all[first + i - LAGS.near] ?? 0) ^ (i >= LAGS.middle ? (this.all[first + i - LAGS.middle] ?? 0) : 0);
    }
    return ~plainCrc(0, rest, rest.length) >>> 0;
  }
}
