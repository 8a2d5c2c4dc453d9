import { KeyedHash } from './keyed-hash';

/** {@link ChangedKeys.last} of a key that was not changed. */
export const UNCHANGED = -1;
const DELETED = 0;
const FIRST_SLOTS = 1 << 10;

/**
 * Keys that are remembered at most: three quarters of 2^23 slots. API servers compact away what is older than five to ten minutes, in
 * which etcd would have to write more than ten thousand new keys a second.
 */
export const MAX_CHANGED_KEYS = 0.75 * 2 ** 23;

/**
 * For each user key changed after a compaction, which of its entries is the last one. A slot has 12 bytes, and their number is the power
 * of two of which three quarters are enough: 16 to 32 bytes a key, and half as much again while it grows. A million keys cost 24 MiB, the
 * 6,291,456 that are allowed 96 MiB; 144 MiB while the last slots are added. One key more, and all are forgotten: `overflowed`.
 *
 * Keys are known by 64 bits of a hash with a secret, random key. Two of n keys share them with a probability of n² / 2^65: 3 * 10^-8 for
 * a million, whoever chose the keys. A shared one makes HashKV differ from the members', which no backup passes as verified.
 */
export class ChangedKeys {
  private slots = FIRST_SLOTS;
  private size = 0;
  private low = new Int32Array(FIRST_SLOTS);
  private high = new Int32Array(FIRST_SLOTS);
  /** 0 is an empty slot, 1 a deleted key, n + 2 the ordinal n of the last entry. */
  private state = new Uint32Array(FIRST_SLOTS);
  /** Keys whose last entry is no tombstone. */
  alive = 0;
  /** True if there were more keys than the limit: nothing is known of any then. */
  overflowed = false;

  /** @param hash by default one with a key of its own */
  constructor(
    private hash?: KeyedHash,
    private readonly limit = MAX_CHANGED_KEYS,
  ) {}

  /** Bytes of memory that the slots take. */
  get bytes(): number {
    return this.low.byteLength + this.high.byteLength + this.state.byteLength;
  }

  /** Notes that the entry with this ordinal is the last one of the key so far. */
  put(bytes: Buffer, start: number, end: number, ordinal: number, tombstone: boolean): void {
    if (this.overflowed) return;
    // Made when it is needed: most readings have nothing to remember, and the system's randomness takes its time at first.
    const { low, high } = (this.hash ??= new KeyedHash()).of(bytes, start, end);
    const slot = this.find(low, high);
    const before = this.state[slot] ?? 0;
    if (before === 0 && this.size >= this.limit) {
      this.forget();
      return;
    }
    if (before > 1) this.alive--;
    if (!tombstone) this.alive++;
    this.low[slot] = low;
    this.high[slot] = high;
    this.state[slot] = tombstone ? DELETED + 1 : ordinal + 2;
    if (before === 0 && ++this.size > this.slots * 0.75) this.grow();
  }

  /** The ordinal of the key's last entry, a number that is no ordinal if that is a tombstone, UNCHANGED if the key is not known. */
  last(bytes: Buffer, start: number, end: number): number {
    if (this.hash === undefined) return UNCHANGED;
    const { low, high } = this.hash.of(bytes, start, end);
    const state = this.state[this.find(low, high)] ?? 0;
    return state === 0 ? UNCHANGED : state === 1 ? Number.POSITIVE_INFINITY : state - 2;
  }

  private forget(): void {
    this.overflowed = true;
    this.size = this.alive = 0;
    this.slots = FIRST_SLOTS;
    this.low = new Int32Array(FIRST_SLOTS);
    this.high = new Int32Array(FIRST_SLOTS);
    this.state = new Uint32Array(FIRST_SLOTS);
  }

  private find(low: number, high: number): number {
    const mask = this.slots - 1;
    let slot = low & mask;
    while (this.state[slot] !== 0 && (this.low[slot] !== low || this.high[slot] !== high)) slot = (slot + 1) & mask;
    return slot;
  }

  private grow(): void {
    const { low, high, state } = this;
    this.slots *= 2;
    this.low = new Int32Array(this.slots);
    this.high = new Int32Array(this.slots);
    this.state = new Uint32Array(this.slots);
    for (let i = 0; i < state.length; i++) {
      if (state[i] === 0) continue;
      const [oldLow, oldHigh] = [low[i] ?? 0, high[i] ?? 0];
      const slot = this.find(oldLow, oldHigh);
      this.low[slot] = oldLow;
      this.high[slot] = oldHigh;
      this.state[slot] = state[i] ?? 0;
    }
  }
}
