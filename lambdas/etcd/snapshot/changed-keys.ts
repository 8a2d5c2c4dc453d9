import { KeyedHash } from './keyed-hash';

/** {@link ChangedKeys.last} of a key that was not changed. */
export const UNCHANGED = -1;
const DELETED = 0;
const FIRST_SLOTS = 1 << 10;

/**
 * For each user key changed after a compaction, which of its entries is the last one: 12 bytes a slot, at most three quarters full,
 * so that a million changed keys cost 24 MiB at most.
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

  /** @param hash by default one with a key of its own */
  constructor(private hash?: KeyedHash) {}

  /** Notes that the entry with this ordinal is the last one of the key so far. */
  put(bytes: Buffer, start: number, end: number, ordinal: number, tombstone: boolean): void {
    // Made when it is needed: most readings have nothing to remember, and the system's randomness takes its time at first.
    const { low, high } = (this.hash ??= new KeyedHash()).of(bytes, start, end);
    const slot = this.find(low, high);
    const before = this.state[slot] ?? 0;
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
