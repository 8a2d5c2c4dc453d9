/** The checks of a report, and for each the codes of the problems that fail it. */
const CODES = {
  'file-size': ['file-not-bolt', 'file-truncated', 'file-too-long'],
  trailer: ['trailer-missing', 'trailer-mismatch'],
  'meta-pages': ['meta-damaged', 'meta-stale', 'meta-bounds'],
  'page-tree': [
    'page-out-of-bounds',
    'page-id-mismatch',
    'page-flags',
    'page-count',
    'page-too-large',
    'page-overflow',
    'page-depth',
    'element-bounds',
    'element-flags',
    'key-order',
    'key-range',
    'bucket-damaged',
  ],
  'page-accounting': ['page-used-twice', 'page-free-but-used', 'page-lost', 'freelist-damaged'],
  revisions: ['revision-key', 'key-value', 'revision-mismatch', 'key-bucket-missing'],
  'meta-bucket': ['meta-bucket'],
} as const;

/** Problems of a page tree that do not keep from reading on. */
const READ_ALL_THE_SAME: readonly string[] = ['key-order', 'key-range'];

export type SnapshotCheckName = keyof typeof CODES;
export type SnapshotProblemCode = (typeof CODES)[SnapshotCheckName][number];

/** One contradiction found in a file; `page` is a bbolt page id. The message is lowercase and holds the wrong value. */
export interface SnapshotProblem {
  readonly code: SnapshotProblemCode;
  readonly page?: number;
  readonly message: string;
}

export interface SnapshotCheck {
  readonly name: SnapshotCheckName;
  /** Nothing wrong was found, and everything that the file lets one check was checked. */
  readonly passed: boolean;
  readonly detail?: string;
}

/** A damaged inner page can make every page below it a problem: enough are kept to understand, the rest are counted. */
export const MAX_KEPT_PROBLEMS = 1000;

/** Collects problems in the order found. */
export class ProblemList {
  readonly kept: SnapshotProblem[] = [];
  private readonly counts = new Map<SnapshotProblemCode, number>();
  private readonly details = new Map<SnapshotCheckName, string>();
  private readonly unfinished = new Map<SnapshotCheckName, string>();
  count = 0;

  add(code: SnapshotProblemCode, message: string, page?: number): void {
    this.count++;
    this.counts.set(code, (this.counts.get(code) ?? 0) + 1);
    if (this.kept.length < MAX_KEPT_PROBLEMS) this.kept.push(page === undefined ? { code, message } : { code, page, message });
  }

  /** What a reader should know about a check that found nothing wrong. */
  note(check: SnapshotCheckName, detail: string): void {
    this.details.set(check, detail);
  }

  /** Says that a check could not be made, or not of all: that it found nothing is no good news then. */
  incomplete(check: SnapshotCheckName, because: string): void {
    this.unfinished.set(check, because);
  }

  /** Whether something was found that had to be left unread, with all below it. */
  unread(): boolean {
    return CODES['page-tree'].some((code) => this.counts.has(code) && !READ_ALL_THE_SAME.includes(code));
  }

  checks(): SnapshotCheck[] {
    return checkNames().map((name) => {
      const failures = CODES[name].filter((code) => this.counts.has(code)).map((code) => `${this.counts.get(code) ?? 0} ${code}`);
      const unfinished = this.unfinished.get(name);
      const passed = failures.length === 0 && unfinished === undefined;
      const detail = passed ? this.details.get(name) : [...failures, ...(unfinished === undefined ? [] : [unfinished])].join(', ');
      return detail === undefined ? { name, passed } : { name, passed, detail };
    });
  }
}

function checkNames(): SnapshotCheckName[] {
  return ['file-size', 'trailer', 'meta-pages', 'page-tree', 'page-accounting', 'revisions', 'meta-bucket'];
}
