import type { ChangedKeys } from './changed-keys';
import { UNCHANGED } from './changed-keys';
import type { CompactionMarks } from './compaction';
import { compactRevisionOf } from './compaction';
import { compareKeys } from './key-order';
import type { PageMemory } from './page-memory';
import { MAX_SEGMENT_BYTES, needsSecondSegment, OTHER, resourceOfSegments } from './resource-of';
import type { RevisionEntry, RevisionObserver } from './revisions';

const REGISTRY = Buffer.from('/registry/');
const SLASH = 0x2f;
/**
 * A cluster has some hundreds of resources; keys that only look like theirs must fill neither the memory nor the manifest. So many, with two
 * segments of 253 bytes each and as key of two maps, are 5 MiB; further ones are counted under `(other)`.
 */
export const MAX_RESOURCES = 5000;

/** Places for segments that were just seen: several times the resources of a cluster. */
const RECENT = 256;

interface Counter {
  live: number;
}

interface RecentSegment {
  readonly name: Buffer;
  readonly counter: Counter;
}

/**
 * Counts the live objects of each API resource at the end of the file.
 *
 * No key is remembered: up to a finished compaction every key has one entry, and behind it the entries tell by themselves what they do.
 * Version 1 creates a key, higher ones replace, a tombstone deletes (etcd `mvcc/key_index.go`). Only between a finished and a merely
 * scheduled compaction some entries may be gone and others not; there `unsettled` knows the last entry of each key.
 */
export class Inventory implements RevisionObserver {
  private readonly counters = new Map<string, Counter>();
  private readonly bytes: Buffer;
  private ordinal = 0;
  private bumped = false;

  /** @param unsettled the changes in (finished, scheduled], needed only if there can be any */
  constructor(
    memory: PageMemory,
    private readonly marks: CompactionMarks,
    private readonly unsettled?: ChangedKeys,
  ) {
    this.bytes = memory.bytes;
  }

  revision(entry: RevisionEntry): void {
    const settled = entry.main <= this.marks.finished;
    const ordinal = settled ? UNCHANGED : this.ordinal++;
    if (entry.keyStart === entry.keyEnd) this.bumped = true;
    else if (entry.main > compactRevisionOf(this.marks)) {
      if (entry.tombstone) this.counter(entry).live--;
      else if (entry.version === 1) this.counter(entry).live++;
    } else if (!entry.tombstone && (this.unsettled?.last(this.bytes, entry.keyStart, entry.keyEnd) ?? UNCHANGED) === ordinal) {
      this.counter(entry).live++;
    }
  }

  /** Live objects by resource name, sorted by name. */
  counts(): Record<string, number> {
    const live = [...this.counters].filter(([, counter]) => counter.live > 0).map(([name, counter]) => [name, counter.live] as const);
    return Object.fromEntries(live.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /**
   * Live keys as `etcdutl snapshot status` of etcd 3.6 counts them: a revision bump is one key, the empty one, to it. (3.5 counts every
   * entry of every bucket.)
   */
  totalKeys(): number {
    let total = this.bumped ? 1 : 0;
    for (const counter of this.counters.values()) total += Math.max(0, counter.live);
    return total;
  }

  private readonly bySegment = new Map<string, Counter>();
  /** One segment and its counter per place, so that most entries need no string to be made of their key. */
  private readonly recent: (RecentSegment | undefined)[] = new Array<undefined>(RECENT).fill(undefined);

  private counter(entry: RevisionEntry): Counter {
    const { bytes } = this;
    for (let i = 0; i < REGISTRY.length; i++) if (bytes[entry.keyStart + i] !== REGISTRY[i]) return this.named(OTHER);
    const start = entry.keyStart + REGISTRY.length;
    let place = 0;
    let end = start;
    const limit = Math.min(entry.keyEnd, start + MAX_SEGMENT_BYTES + 1);
    for (; end < limit; end++) {
      const byte = bytes[end] ?? 0;
      if (byte === SLASH) break;
      place = (place * 31 + byte) % RECENT;
    }
    if (end - start > MAX_SEGMENT_BYTES) return this.named(OTHER);
    const recent = this.recent[place];
    if (recent !== undefined && compareKeys(bytes, start, end, recent.name, 0, recent.name.length) === 0) return recent.counter;
    const first = bytes.toString('latin1', start, end);
    if (needsSecondSegment(first)) return this.byTwoSegments(first, start, end, entry.keyEnd);
    const counter = this.bySegment.get(first) ?? this.named(resourceOfSegments(first, ''));
    if (this.bySegment.size < MAX_RESOURCES) this.bySegment.set(first, counter);
    this.recent[place] = { name: Buffer.from(bytes.subarray(start, end)), counter };
    return counter;
  }

  private byTwoSegments(first: string, start: number, end: number, keyEnd: number): Counter {
    const stop = segmentEnd(this.bytes, end + 1, keyEnd);
    if (stop <= end + 1) return this.named(resourceOfSegments(first, ''));
    if (stop - end - 1 > MAX_SEGMENT_BYTES) return this.named(OTHER);
    const segments = this.bytes.toString('latin1', start, stop);
    const counter = this.bySegment.get(segments) ?? this.named(resourceOfSegments(first, segments.slice(first.length + 1)));
    if (this.bySegment.size < MAX_RESOURCES) this.bySegment.set(segments, counter);
    return counter;
  }

  private named(resource: string): Counter {
    const name = this.counters.size < MAX_RESOURCES || this.counters.has(resource) ? resource : OTHER;
    let counter = this.counters.get(name);
    if (counter === undefined) this.counters.set(name, (counter = { live: 0 }));
    return counter;
  }
}

/** Where the segment ends, or a byte that makes it too long. */
function segmentEnd(bytes: Buffer, start: number, end: number): number {
  const stop = Math.min(end, start + MAX_SEGMENT_BYTES + 1);
  let at = start;
  while (at < stop && bytes[at] !== SLASH) at++;
  return Math.min(at, stop);
}
