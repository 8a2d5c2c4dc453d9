import type { ProblemList } from './problems';
import { isRevisionKey, mainOf, REVISION_KEY_BYTES } from './revision-key';

/** Compaction marks of a file, -1 where there is none. `scheduled` is set first; `finished` follows when the old entries are gone. */
export interface CompactionMarks {
  readonly scheduled: number;
  readonly finished: number;
}

/** The compact revision that a member opening the file has, and answers HashKV with: -1 if it was never compacted. */
export const compactRevisionOf = (marks: CompactionMarks): number => Math.max(marks.scheduled, marks.finished);

const U64_VALUES = ['consistent_index', 'term'];

/** Judges the entries of etcd's `meta` bucket (etcd `server/storage/schema`) and remembers the compaction marks. */
export class MetaBucket {
  marks: CompactionMarks = { scheduled: -1, finished: -1 };

  constructor(private readonly problems: ProblemList) {}

  take(name: string, value: Buffer, page: number): void {
    if (U64_VALUES.includes(name) && value.length !== 8) {
      this.problems.add('meta-bucket', `${name} has ${value.length} bytes, not 8`, page);
    }
    if (name === 'scheduledCompactRev') this.marks = { ...this.marks, scheduled: this.mark(name, value, page) };
    if (name === 'finishedCompactRev') this.marks = { ...this.marks, finished: this.mark(name, value, page) };
  }

  /** Call when the whole bucket was taken. */
  finish(): void {
    const { scheduled, finished } = this.marks;
    if (finished > scheduled) this.problems.add('meta-bucket', `compaction ${finished} is finished, but only ${scheduled} was scheduled`);
  }

  private mark(name: string, value: Buffer, page: number): number {
    if (value.length === REVISION_KEY_BYTES && isRevisionKey(value, 0, value.length)) return mainOf(value, 0);
    this.problems.add('meta-bucket', `${name} is no revision: ${value.length} bytes, not ${REVISION_KEY_BYTES} with a '_'`, page);
    return -1;
  }
}
