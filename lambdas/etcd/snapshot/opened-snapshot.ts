import type { Bucket } from './buckets';
import { Buckets } from './buckets';
import type { CompactionMarks } from './compaction';
import { compactRevisionOf, MetaBucket } from './compaction';
import { ChangedKeys } from './changed-keys';
import type { HashKvPoint } from './hash-kv-rule';
import { ChangesSince } from './hash-kv-rule';
import type { BoltMeta } from './meta';
import { PageClaims } from './page-claims';
import type { PageMemory } from './page-memory';
import { ProblemList } from './problems';
import { revisionKey } from './revision-key';
import type { RevisionObserver } from './revisions';
import { Revisions } from './revisions';
import type { SnapshotFile } from './snapshot-file';
import { TreeWalk } from './tree-walk';

export const KEY_BUCKET = 'key';
export const META_BUCKET = 'meta';

/** One reading of a file with valid meta: the trees, and who claims their pages. Several may follow each other over the same memory. */
export class Reading {
  readonly claims: PageClaims;
  readonly buckets: Buckets;

  constructor(
    file: SnapshotFile,
    readonly meta: BoltMeta,
    readonly memory: PageMemory,
    readonly problems: ProblemList,
  ) {
    const pages = Math.min(meta.pages, Math.floor(file.size / meta.pageSize));
    this.claims = new PageClaims(pages, problems);
    this.buckets = new Buckets(new TreeWalk({ file, pageSize: meta.pageSize, pages }, memory, this.claims, problems), memory, problems);
  }

  /** Every entry of the `key` bucket to the observers, and every hashed byte to `data`; returns the last main revision. */
  async revisions(
    bucket: Bucket,
    observers: readonly RevisionObserver[],
    data?: (start: number, end: number) => void,
    from?: Buffer,
  ): Promise<number> {
    const revisions = new Revisions(this.memory, this.problems, observers);
    const reader = {
      entry: (key: number, value: number, end: number, page: number) => revisions.take(key, value, end, page),
      data: (start: number, end: number) => {
        revisions.pageDone();
        data?.(start, end);
      },
    };
    await this.buckets.read(bucket, reader, from);
    return revisions.last;
  }

  async metaBucket(bucket: Bucket, data?: (start: number, end: number) => void): Promise<CompactionMarks> {
    const meta = new MetaBucket(this.problems);
    const { bytes } = this.memory;
    const entry = (key: number, value: number, end: number, page: number) =>
      meta.take(bytes.toString('latin1', key, value), Buffer.from(bytes.subarray(value, end)), page);
    await this.buckets.read(bucket, data === undefined ? { entry } : { entry, data });
    meta.finish();
    return meta.marks;
  }
}

/** A file with valid meta, for as many readings as its questions need. Each judges anew and has problems of its own. */
export class OpenedSnapshot {
  constructor(
    readonly file: SnapshotFile,
    readonly meta: BoltMeta,
    readonly memory: PageMemory,
    private readonly maxChangedKeys?: number,
  ) {}

  reading(problems = new ProblemList()): Reading {
    return new Reading(this.file, this.meta, this.memory, problems);
  }

  async bucket(name: string): Promise<Bucket | undefined> {
    return (await this.reading().buckets.list(this.meta.root)).find((bucket) => bucket.name === name);
  }

  /** Compaction marks, read ahead: the `meta` bucket comes behind the `key` bucket whose entries they explain. */
  async marks(): Promise<CompactionMarks> {
    const bucket = await this.bucket(META_BUCKET);
    return bucket === undefined ? { scheduled: -1, finished: -1 } : this.reading().metaBucket(bucket);
  }

  /**
   * For each bound, the last entry up to it of every key changed after the finished compaction: one reading of that part. Whether there were
   * too many to remember must be asked.
   */
  async changesUpTo(marks: CompactionMarks, bounds: readonly number[]): Promise<ChangedKeys[]> {
    const bucket = await this.bucket(KEY_BUCKET);
    const changes = bounds.map((bound) => new ChangesSince(this.memory, marks.finished, bound, this.maxChangedKeys));
    if (bucket !== undefined && Math.max(...bounds) > marks.finished) {
      await this.reading().revisions(bucket, changes, undefined, revisionKey(marks.finished + 1, 0));
    }
    return changes.map(({ keys }) => keys);
  }

  /** What HashKv needs to know about later changes; nothing for a member that never compacted, which leaves nothing out. */
  async changesFor(marks: CompactionMarks, points: readonly HashKvPoint[]): Promise<ChangedKeys[]> {
    if (points.every((point) => point.compactRevision < 0)) return points.map(() => new ChangedKeys());
    return this.changesUpTo(
      marks,
      points.map(({ revision }) => revision),
    );
  }

  /** The last main revision in the file. A compaction mark may be above it, where old etcds removed a last tombstone; an empty store is at 1. */
  async lastRevision(marks: CompactionMarks): Promise<number> {
    const bucket = await this.bucket(KEY_BUCKET);
    const last = bucket === undefined ? 0 : await this.reading().revisions(bucket, [], undefined, END_OF_REVISIONS);
    return storeRevision(last, marks);
  }
}

const END_OF_REVISIONS = revisionKey(Number.MAX_SAFE_INTEGER, 0);

/** The revision of a store whose last entry has the main revision `last`: what a member that opens the file is at. */
export const storeRevision = (last: number, marks: CompactionMarks): number => Math.max(1, last, compactRevisionOf(marks));
