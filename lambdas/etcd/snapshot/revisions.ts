import { KeyValueScanner } from './key-value';
import type { PageMemory } from './page-memory';
import type { ProblemList } from './problems';
import { isRevisionKey, mainOf, subOf, TOMBSTONE_KEY_BYTES } from './revision-key';

/** An entry of the `key` bucket, as offsets into the page memory. One object is reused for all, so nobody may keep it. */
export interface RevisionEntry {
  readonly main: number;
  readonly tombstone: boolean;
  /** Raw bytes of revision key and value. */
  readonly start: number;
  readonly end: number;
  /** The user's key; empty for the entry that `--bump-revision` writes, as etcd itself sees it. */
  readonly keyStart: number;
  readonly keyEnd: number;
  /** Changes since the key was created: 1 is its creation, 0 a tombstone or a bump. */
  readonly version: number;
}

export interface RevisionObserver {
  revision(entry: RevisionEntry): void;
  /** The memory of the entries so far goes away. */
  pageDone?(): void;
}

class ReusedEntry implements RevisionEntry {
  main = 0;
  tombstone = false;
  start = 0;
  end = 0;
  keyStart = 0;
  keyEnd = 0;
  version = 0;
}

/**
 * Judges the entries of etcd's `key` bucket and hands good ones on.
 *
 * `etcdutl snapshot restore --bump-revision` raises the revision by an entry with an empty value; everything else is a KeyValue whose
 * `mod_revision` is the main revision of its key, or a tombstone that names nothing but the key (`mvcc/kvstore_txn.go`).
 */
export class Revisions {
  /** Main revision of the last entry, 0 before there is one. */
  last = 0;
  private lastSub = -1;
  private readonly entry = new ReusedEntry();
  private readonly scanner = new KeyValueScanner();
  private readonly bytes: Buffer;

  constructor(
    memory: PageMemory,
    private readonly problems: ProblemList,
    private readonly observers: readonly RevisionObserver[],
  ) {
    this.bytes = memory.bytes;
  }

  take(key: number, value: number, end: number, page: number): void {
    const { bytes, entry } = this;
    if (!isRevisionKey(bytes, key, value)) {
      this.problems.add('revision-key', `page ${page} has a key of ${value - key} bytes in the key bucket that is no revision`, page);
      return;
    }
    const main = mainOf(bytes, key);
    const sub = subOf(bytes, key);
    if (main < this.last || (main === this.last && sub <= this.lastSub)) {
      this.problems.add('revision-key', `revision ${main}_${sub} on page ${page} is not above ${this.last}_${this.lastSub}`, page);
    }
    this.last = main;
    this.lastSub = sub;
    entry.main = main;
    entry.tombstone = value - key === TOMBSTONE_KEY_BYTES;
    entry.start = key;
    entry.end = end;
    if (!this.value(value, end, page)) return;
    // By index: an iterator a million times is garbage a million times.
    for (let i = 0; i < this.observers.length; i++) this.observers[i]?.revision(entry);
  }

  pageDone(): void {
    for (const observer of this.observers) observer.pageDone?.();
  }

  private value(start: number, end: number, page: number): boolean {
    const { entry, scanner } = this;
    if (start === end && !entry.tombstone) {
      entry.keyStart = entry.keyEnd = start;
      entry.version = 0;
      return true;
    }
    if (!scanner.scan(this.bytes, start, end) || scanner.keyStart === scanner.keyEnd) {
      this.problems.add('key-value', `the value of revision ${entry.main}_${this.lastSub} on page ${page} is no KeyValue with a key`, page);
      return false;
    }
    entry.keyStart = scanner.keyStart;
    entry.keyEnd = scanner.keyEnd;
    entry.version = scanner.version;
    const problem = entry.tombstone ? this.tombstoneProblem(end) : this.liveProblem();
    if (problem !== undefined)
      this.problems.add('revision-mismatch', `revision ${entry.main}_${this.lastSub} on page ${page}: ${problem}`, page);
    return true;
  }

  private tombstoneProblem(end: number): string | undefined {
    return this.scanner.keyEnd === end ? undefined : 'a tombstone has more than the key';
  }

  private liveProblem(): string | undefined {
    const { createRevision: created, modRevision: modified, version } = this.scanner;
    if (modified !== this.entry.main) return `its KeyValue says mod_revision ${modified}`;
    if (created < 1 || version < 1 || created > modified) return `create_revision ${created}, version ${version}`;
    if ((created === modified) !== (version === 1)) return `version ${version}, though created at ${created}`;
    return undefined;
  }
}
