/** A key where it lies: bytes [start, end) of a buffer, so that comparing leaves no garbage behind. */
export interface KeyRange {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Orders two keys as bbolt does (Go's `bytes.Compare`): by unsigned bytes, a prefix before what it begins. */
export function compareKeys(a: Buffer, aStart: number, aEnd: number, b: Buffer, bStart: number, bEnd: number): number {
  const shorter = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < shorter; i++) {
    const difference = (a[aStart + i] ?? 0) - (b[bStart + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}

export const compareRanges = (a: KeyRange, b: KeyRange): number => compareKeys(a.bytes, a.start, a.end, b.bytes, b.start, b.end);
