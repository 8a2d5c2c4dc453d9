import type { KeyRange } from './key-order';
import { compareKeys } from './key-order';
import { BUCKET_ELEMENT, ELEMENT_BYTES, MAX_KEY_BYTES, PAGE_HEADER_BYTES, PageFlag } from './layout';
import type { PageMemory } from './page-memory';
import type { ProblemList, SnapshotProblemCode } from './problems';

/** Takes what a leaf page holds, in key order. Offsets are into the page memory and die with the call. */
export interface LeafSink {
  /** An entry: its key is [key, value), its value [value, end). */
  entry(key: number, value: number, end: number, page: number): void;
  /** A bucket inside this one: its name is [key, value), header and inline page are [value, end). */
  bucket(key: number, value: number, end: number, page: number): void;
  /** Bytes that `etcdutl snapshot status` hashes: keys, and values that are not buckets. */
  data(start: number, end: number): void;
}

/**
 * Judges the leaf pages of one bucket, in order.
 *
 * bbolt writes keys and values without gaps, in order, right behind the elements (`internal/common/inode.go`, `WriteInodeToPage`).
 * So every position is known beforehand: data can neither overlap nor lie outside, and one comparison tells.
 */
export class LeafReader {
  /** A copy of the last key, for the comparison with the next page, whose memory will be another. */
  private readonly last = Buffer.alloc(MAX_KEY_BYTES);
  private lastLength = 0;
  private readonly bytes: Buffer;
  private readonly words: Uint32Array;

  constructor(
    memory: PageMemory,
    private readonly problems: ProblemList,
    private readonly sink: LeafSink,
  ) {
    this.bytes = memory.bytes;
    this.words = memory.words;
  }

  /**
   * Judges the page of `bytes` bytes at `offset` of the memory; `page` is the id that messages name. The separator is the key that the
   * parent has for the page: no key of it is below, and all keys of the pages before it are.
   *
   * Returns the offset behind the last value, undefined where the page is too damaged to know.
   */
  read(offset: number, bytes: number, page: number, separator?: KeyRange): number | undefined {
    const header = offset >>> 2;
    const flags = (this.words[header + 2] ?? 0) & 0xffff;
    const count = (this.words[header + 2] ?? 0) >>> 16;
    if (flags !== PageFlag.leaf)
      return this.fail('page-flags', `page ${page} has flags 0x${flags.toString(16)} where a leaf (0x2) must be`, page);
    const data = PAGE_HEADER_BYTES + count * ELEMENT_BYTES;
    if (data > bytes) return this.fail('page-count', `page ${page} counts ${count} elements, more than fit into ${bytes} bytes`, page);
    if (count === 0 && separator !== undefined)
      return this.fail('page-count', `page ${page} is empty, though its parent has a key for it`, page);
    return this.elements(offset, bytes, page, separator, count);
  }

  /** The hot loop: no allocation, no call but the sink's. */
  private elements(offset: number, bytes: number, page: number, separator: KeyRange | undefined, count: number): number | undefined {
    const data = offset + PAGE_HEADER_BYTES + count * ELEMENT_BYTES;
    const { words, sink } = this;
    const limit = offset + bytes;
    let hashed = data;
    let before = -1;
    let beforeEnd = -1;
    let key = data;
    for (let i = 0, element = offset + PAGE_HEADER_BYTES; i < count; i++, element += ELEMENT_BYTES) {
      const word = element >>> 2;
      const flags = words[word] ?? 0;
      const value = key + (words[word + 2] ?? 0);
      const end = value + (words[word + 3] ?? 0);
      if (element + (words[word + 1] ?? 0) !== key || value === key || value - key > MAX_KEY_BYTES || end > limit) {
        return this.damagedElement(i, page, element, key);
      }
      if (
        before < 0 ? !this.startsWell(key, value, separator, page) : compareKeys(this.bytes, before, beforeEnd, this.bytes, key, value) >= 0
      ) {
        this.problems.add('key-order', `key ${i} of page ${page} is not above the key before it`, page);
      }
      if (flags === 0) sink.entry(key, value, end, page);
      else if (flags === BUCKET_ELEMENT) {
        sink.data(hashed, value);
        hashed = end;
        sink.bucket(key, value, end, page);
      } else return this.fail('element-flags', `element ${i} of page ${page} has flags 0x${flags.toString(16)}`, page);
      before = key;
      beforeEnd = value;
      key = end;
    }
    if (hashed < key) sink.data(hashed, key);
    if (before >= 0) this.remember(before, beforeEnd);
    return key;
  }

  /** The first key of a page against the last one of the page before, and both against the parent's key between them. */
  private startsWell(key: number, end: number, separator: KeyRange | undefined, page: number): boolean {
    const { bytes, last, lastLength } = this;
    if (separator !== undefined) {
      const above = compareKeys(bytes, key, end, separator.bytes, separator.start, separator.end) >= 0;
      if (!above || compareKeys(last, 0, lastLength, separator.bytes, separator.start, separator.end) >= 0) {
        const which = above ? 'the pages before reach above' : 'the first key is below';
        this.problems.add('key-range', `page ${page}: ${which} the key that its parent has for it`, page);
      }
    }
    return lastLength === 0 || compareKeys(last, 0, lastLength, bytes, key, end) < 0;
  }

  private remember(start: number, end: number): void {
    this.lastLength = end - start;
    for (let i = 0; i < this.lastLength; i++) this.last[i] = this.bytes[start + i] ?? 0;
  }

  private damagedElement(index: number, page: number, element: number, expected: number): number | undefined {
    const [pos, key, value] = [1, 2, 3].map((word) => this.words[(element >>> 2) + word] ?? 0);
    const message = `element ${index} of page ${page} (pos ${pos ?? 0}, ksize ${key ?? 0}, vsize ${value ?? 0}) does not lie at pos ${expected - element} inside the page`;
    return this.fail('element-bounds', message, page);
  }

  private fail(code: SnapshotProblemCode, message: string, page: number): number | undefined {
    this.problems.add(code, message, page);
    return undefined;
  }
}
