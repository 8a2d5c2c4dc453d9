/** {@link ChangedKeys.last} of a key that was not changed. */
export const UNCHANGED = -1;
const DELETED = 0;
const FIRST_SLOTS = 1 << 10;

/**
 * For each user key changed after a compaction, which of its entries is the last one: 12 bytes a slot, at most three quarters full,
 * so that a million changed keys cost 24 MiB at most.
 *
 * Keys are known by 64 bits of hash. Two of n keys share them with a probability of n² / 2^65: below 10^-7 for a million, and a shared
 * one makes a hash differ from the members', which no backup passes as verified.
 */
export class ChangedKeys {
  private slots = FIRST_SLOTS;
  private size = 0;
  private low = new Int32Array(FIRST_SLOTS);
  private high = new Int32Array(FIRST_SLOTS);
  /** 0 is an empty slot, 1 a deleted key, n + 2 the ordinal n of the last entry. */
  private state = new Uint32Array(FIRST_SLOTS);
  private hashLow = 0;
  private hashHigh = 0;
  /** Keys whose last entry is no tombstone. */
  alive = 0;

  /** Notes that the entry with this ordinal is the last one of the key so far. */
  put(bytes: Buffer, start: number, end: number, ordinal: number, tombstone: boolean): void {
    this.hash(bytes, start, end);
    const slot = this.find();
    const before = this.state[slot] ?? 0;
    if (before > 1) this.alive--;
    if (!tombstone) this.alive++;
    this.low[slot] = this.hashLow;
    this.high[slot] = this.hashHigh;
    this.state[slot] = tombstone ? DELETED + 1 : ordinal + 2;
    if (before === 0 && ++this.size > this.slots * 0.75) this.grow();
  }

  /** The ordinal of the key's last entry, a number that is no ordinal if that is a tombstone, UNCHANGED if the key is not known. */
  last(bytes: Buffer, start: number, end: number): number {
    if (this.size === 0) return UNCHANGED;
    this.hash(bytes, start, end);
    const state = this.state[this.find()] ?? 0;
    return state === 0 ? UNCHANGED : state === 1 ? Number.POSITIVE_INFINITY : state - 2;
  }

  /** Two independent FNV-like lanes with a final mix, in one pass. */
  private hash(bytes: Buffer, start: number, end: number): void {
    let [low, high] = [0x811c9dc5 | 0, 0x9e3779b9 | 0];
    for (let i = start; i < end; i++) {
      const byte = bytes[i] ?? 0;
      low = Math.imul(low ^ byte, 0x01000193);
      high = (Math.imul((high << 13) | (high >>> 19), 5) + Math.imul(byte + 0x52dce729, 0x85ebca6b)) | 0;
    }
    low = Math.imul(low ^ (low >>> 16), 0x7feb352d);
    high = Math.imul(high ^ (high >>> 15), 0x846ca68b);
    this.hashLow = (low ^ (low >>> 15)) | 0;
    this.hashHigh = (high ^ (high >>> 13)) | 0;
  }

  private find(): number {
    const mask = this.slots - 1;
    let slot = this.hashLow & mask;
    while (this.state[slot] !== 0 && (this.low[slot] !== this.hashLow || this.high[slot] !== this.hashHigh)) slot = (slot + 1) & mask;
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
      this.hashLow = low[i] ?? 0;
      this.hashHigh = high[i] ?? 0;
      const slot = this.find();
      this.low[slot] = this.hashLow;
      this.high[slot] = this.hashHigh;
      this.state[slot] = state[i] ?? 0;
    }
  }
}
