import { ChangedKeys, UNCHANGED } from './changed-keys';
import type { CompactionMarks } from './compaction';
import type { RunningCrc } from './crc32c';
import type { PageMemory } from './page-memory';
import type { RevisionEntry, RevisionObserver } from './revisions';

/** What a member is asked for, and what it says about its own past in its answer. */
export interface HashKvPoint {
  readonly revision: number;
  /** -1 for a member that never compacted. */
  readonly compactRevision: number;
}

/**
 * Remembers the last entry <= `upTo` of each key that was changed after the finished compaction. Up to that compaction a key has only one
 * entry, so nothing has to be remembered about it.
 */
export class ChangesSince implements RevisionObserver {
  readonly keys: ChangedKeys;
  private ordinal = 0;

  constructor(
    private readonly memory: PageMemory,
    private readonly finished: number,
    private readonly upTo: number,
    maxKeys?: number,
  ) {
    this.keys = new ChangedKeys(undefined, maxKeys);
  }

  revision({ main, keyStart, keyEnd, tombstone }: RevisionEntry): void {
    if (main > this.finished && main <= this.upTo) this.keys.put(this.memory.bytes, keyStart, keyEnd, this.ordinal++, tombstone);
  }
}

/**
 * etcd's HashKV of revision R and compact revision C, from the entries of a file that was compacted at C or before.
 *
 * CRC-32C of `key`, then of raw key and value of each entry in order, that (etcd `mvcc/hash.go`, `mvcc/kvstore.go`)
 * - is not above R, and
 * - if its main revision is <= C: is no tombstone, and is the last entry <= R of its key, that is: in the set that a compaction
 *   would keep *at R*, not at C. Where nothing at all lives at R, etcd leaves that rule out, and what a compaction at C kept counts.
 */
export class HashKv implements RevisionObserver {
  private alive = 0;
  private ordinal = 0;
  private runStart = 0;
  private runEnd = 0;
  private readonly crc: RunningCrc;

  /** @param changes after the finished compaction: up to R, or up to C in a second attempt where {@link nothingLives} */
  constructor(
    private readonly memory: PageMemory,
    private readonly point: HashKvPoint,
    private readonly marks: CompactionMarks,
    private readonly changes: ChangedKeys,
  ) {
    this.crc = memory.running();
    const name = Buffer.from('key');
    const at = memory.place(name);
    this.crc.update(at, at + name.length);
  }

  revision(entry: RevisionEntry): void {
    const settled = entry.main <= this.marks.finished;
    const ordinal = settled ? UNCHANGED : this.ordinal++;
    if (entry.main > this.point.revision) return;
    if (entry.main <= this.point.compactRevision) {
      if (entry.tombstone || this.changes.last(this.memory.bytes, entry.keyStart, entry.keyEnd) !== ordinal) return;
      if (settled) this.alive++;
    }
    if (entry.start !== this.runEnd) {
      this.pageDone();
      this.runStart = entry.start;
    }
    this.runEnd = entry.end;
  }

  pageDone(): void {
    if (this.runEnd > this.runStart) this.crc.update(this.runStart, this.runEnd);
    this.runStart = this.runEnd = 0;
  }

  /** True if no key lives at R, so that the compaction at C decides what counts, and not one at R. */
  nothingLives(): boolean {
    return this.point.compactRevision >= 0 && this.alive === 0 && this.changes.alive === 0;
  }

  hash(): number {
    return this.crc.value();
  }
}
