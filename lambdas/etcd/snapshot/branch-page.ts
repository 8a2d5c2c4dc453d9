import type { KeyRange } from './key-order';
import { compareRanges } from './key-order';
import { ELEMENT_BYTES, FIRST_DATA_PAGE, Header, MAX_KEY_BYTES, PAGE_HEADER_BYTES, PageFlag, readU64 } from './layout';
import type { ProblemList, SnapshotProblemCode } from './problems';

/** The children of a branch page in key order: their page ids, and for each the key that no key below it is under. */
export interface Children {
  readonly pages: number[];
  readonly keys: KeyRange[];
}

export interface BranchBounds {
  /** The key that the parent has for this page, and for the page behind it. */
  readonly low: KeyRange | undefined;
  readonly high: KeyRange | undefined;
  /** Page count of the file. */
  readonly pages: number;
}

/**
 * Judges a branch page with its overflow. Children that lie outside the file are reported and left out; undefined, with a problem,
 * where the page cannot be followed at all.
 */
export function readBranch(bytes: Buffer, page: number, bounds: BranchBounds, problems: ProblemList): Children | undefined {
  const fail = (code: SnapshotProblemCode, message: string): undefined => {
    problems.add(code, message, page);
    return undefined;
  };
  const [flags, count] = [bytes.readUInt16LE(Header.flags), bytes.readUInt16LE(Header.count)];
  if (flags !== PageFlag.branch) {
    fail('page-flags', `page ${page} has flags 0x${flags.toString(16)} where a branch (0x1) must be`);
    return;
  }
  let position = PAGE_HEADER_BYTES + count * ELEMENT_BYTES;
  if (count === 0 || position > bytes.length) {
    fail('page-count', `branch page ${page} counts ${count} children in ${bytes.length} bytes`);
    return;
  }
  const children: Children = { pages: [], keys: [] };
  let before = bounds.low;
  for (let i = 0; i < count; i++) {
    const element = PAGE_HEADER_BYTES + i * ELEMENT_BYTES;
    const pos = bytes.readUInt32LE(element);
    const size = bytes.readUInt32LE(element + 4);
    const child = readU64(bytes, element + 8);
    if (element + pos !== position || size === 0 || size > MAX_KEY_BYTES || position + size > bytes.length) {
      fail(
        'element-bounds',
        `child ${i} of page ${page} (pos ${pos}, ksize ${size}) does not lie at pos ${position - element} inside the page`,
      );
      return;
    }
    const key = { bytes, start: position, end: (position += size) };
    checkKey(key, i, page, before, bounds, problems);
    before = key;
    if (child < FIRST_DATA_PAGE || child >= bounds.pages) {
      problems.add('page-out-of-bounds', `child ${i} of page ${page} is page ${child}, outside 2..${bounds.pages - 1}`, page);
      continue;
    }
    children.pages.push(child);
    children.keys.push(key);
  }
  return children;
}

function checkKey(
  key: KeyRange,
  index: number,
  page: number,
  before: KeyRange | undefined,
  bounds: BranchBounds,
  problems: ProblemList,
): void {
  const order = before === undefined ? 1 : compareRanges(key, before);
  if (index === 0 && order < 0) problems.add('key-range', `the first key of branch page ${page} is below its parent's key`, page);
  if (index > 0 && order <= 0) problems.add('key-order', `key ${index} of branch page ${page} is not above the key before it`, page);
  if (bounds.high !== undefined && compareRanges(key, bounds.high) >= 0) {
    problems.add('key-range', `key ${index} of branch page ${page} is not below its parent's next key`, page);
  }
}
