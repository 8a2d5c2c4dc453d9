import { randomBytes } from 'node:crypto';

export const HASH_KEY_BYTES = 8;

/**
 * HalfSipHash-2-4 with 64 bits (Aumasson and Bernstein, "SipHash: a fast short-input PRF", in its variant for 32-bit machines).
 *
 * Without its secret key nobody can choose two inputs that share a hash, so that what users write into etcd is as good as random: two
 * of n inputs share their 64 bits with a probability of about n² / 2^65.
 */
export class KeyedHash {
  /** Halves of the last result, as signed 32-bit numbers. */
  low = 0;
  high = 0;
  private readonly k0: number;
  private readonly k1: number;

  /** @param key eight bytes; given only to have the same hashes again */
  constructor(key: Buffer = randomBytes(HASH_KEY_BYTES)) {
    this.k0 = key.readInt32LE(0);
    this.k1 = key.readInt32LE(4);
  }

  /**
   * Hashes [start, end); the result is this object, until the next one. The loop is over double rounds: one for each word, one for the rest
   * with the length, two for each half of the result.
   */
  of(bytes: Buffer, start: number, end: number): this {
    let v0 = this.k0;
    let v1 = this.k1 ^ 0xee;
    let v2 = this.k0 ^ 0x6c796765;
    let v3 = this.k1 ^ 0x74656462;
    const words = (end - start) >>> 2;
    for (let i = 0, at = start; i <= words + 4; i++, at += 4) {
      const word = i < words ? wordAt(bytes, at) : i === words ? restAt(bytes, at, end, end - start) : 0;
      if (i === words + 1) v2 ^= 0xee;
      if (i === words + 3) {
        this.low = v1 ^ v3;
        v1 ^= 0xdd;
      }
      v3 ^= word;
      for (let round = 0; round < 2; round++) {
        v0 = (v0 + v1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        v2 = (v2 << 16) | (v2 >>> 16);
      }
      v0 ^= word;
    }
    this.high = v1 ^ v3;
    return this;
  }
}

const byteAt = (bytes: Buffer, at: number): number => bytes[at] ?? 0;
const wordAt = (bytes: Buffer, at: number): number =>
  byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24);

/** The last bytes that fill no word, with the length as the highest byte. */
function restAt(bytes: Buffer, at: number, end: number, length: number): number {
  let rest = length << 24;
  for (let i = at; i < end; i++) rest |= byteAt(bytes, i) << ((i - at) * 8);
  return rest;
}
