import type { ChangedKeys } from './changed-keys';
import type { CompactionMarks } from './compaction';
import { compactRevisionOf } from './compaction';
import type { RunningCrc } from './crc32c';
import { crcText } from './crc32c';
import { readFreelist } from './freelist';
import { HashKv } from './hash-kv-rule';
import { hashOfEmptied, tooManyChanges } from './hash-kv-of-file';
import type { HashKvResult } from './hash-kv-of-file';
import { Inventory } from './inventory';
import { TRAILER_BYTES } from './layout';
import type { BoltMeta } from './meta';
import { readMeta } from './meta';
import type { Reading } from './opened-snapshot';
import { KEY_BUCKET, META_BUCKET, OpenedSnapshot, storeRevision } from './opened-snapshot';
import { PageMemory } from './page-memory';
import type { SnapshotCheck, SnapshotProblem } from './problems';
import { ProblemList } from './problems';
import { SnapshotFile } from './snapshot-file';
import { checkTrailer, hasTrailer } from './trailer';

/** Everything that a file tells about itself. Numbers of a damaged file are as good as its readable parts. */
export interface SnapshotReport {
  /** The first problems found, at most 1000. */
  readonly problems: readonly SnapshotProblem[];
  /** All problems found: 0 is the only good news. */
  readonly problemCount: number;
  /** Bytes; 0 if neither meta page is valid. */
  readonly pageSize: number;
  /** Bytes of all pages, without the trailer: `totalSize` of `etcdutl snapshot status`. */
  readonly dbSize: number;
  /** The revision that a member opening the file is at: the last entry's, in an emptied store the last compaction's, at least 1. */
  readonly revision: number;
  /** Main revision of the last entry, 0 without any: `revision` of `etcdutl snapshot status`. */
  readonly lastEntryRevision: number;
  /** The revision up to which history is, or is about to be, compacted; -1 if it never was. */
  readonly compactRevision: number;
  /** Live keys, as `etcdutl snapshot status` of etcd 3.6 counts them. */
  readonly totalKeys: number;
  /** CRC-32C over bucket names, keys and values: `hash` of `etcdutl snapshot status`, as eight hex digits. */
  readonly statusHash: string;
  /** Live objects by API resource. */
  readonly inventory: Readonly<Record<string, number>>;
  /**
   * HashKV at `revision` and `compactRevision`; undefined if it was not asked for, or cannot be had from a damaged file. Where both are
   * equal, members since 3.5.5 answer with a hash stored before that compaction, and with its compact revision: not comparable.
   */
  readonly hashKv: HashKvResult | undefined;
  /** Why the file has no `hashKv` though it was asked for and the file may be whole: it cannot be compared, and is not damaged for that. */
  readonly hashKvUnavailable?: string;
  readonly checks: readonly SnapshotCheck[];
}

export interface InspectOptions {
  /**
   * SHA-256 of all bytes of the file but the last 32, where the caller has computed it while the file was streamed.
   * @default - the file is read once more to compute it
   */
  readonly expectedSha256Trailer?: Uint8Array;
  /**
   * Whether to compute HashKV.
   * @default true
   */
  readonly hashKv?: boolean;
  /**
   * Keys changed since the last compaction that are remembered at most, at 16 to 32 bytes each. With more there is no HashKV.
   * @default MAX_CHANGED_KEYS: six million
   */
  readonly maxChangedKeys?: number;
}

type Facts = Pick<
  SnapshotReport,
  'revision' | 'lastEntryRevision' | 'compactRevision' | 'totalKeys' | 'statusHash' | 'inventory' | 'hashKv' | 'hashKvUnavailable'
>;

const NO_FACTS: Facts = {
  revision: 0,
  lastEntryRevision: 0,
  compactRevision: -1,
  totalKeys: 0,
  statusHash: crcText(0),
  inventory: {},
  hashKv: undefined,
};

/**
 * Judges a snapshot file and tells what is in it, in bounded memory and without blocking others for long.
 *
 * Damage is reported, never thrown. The file must not change meanwhile.
 *
 * @throws SnapshotFileError only if the file cannot be opened or read
 */
export async function inspectSnapshot(path: string, options: InspectOptions = {}): Promise<SnapshotReport> {
  const file = SnapshotFile.open(path);
  try {
    const problems = new ProblemList();
    const meta = readMeta(file, problems);
    if (meta !== undefined) checkSize(file.size, meta, problems);
    await checkTrailer(file, options.expectedSha256Trailer, problems);
    const facts = meta === undefined ? NO_FACTS : await readFacts(file, meta, problems, options);
    if (meta === undefined) for (const check of NEED_META) problems.incomplete(check, 'not checked: neither meta page is valid');
    return {
      problems: problems.kept,
      problemCount: problems.count,
      pageSize: meta?.pageSize ?? 0,
      dbSize: meta === undefined ? 0 : meta.pages * meta.pageSize,
      ...facts,
      checks: problems.checks(),
    };
  } finally {
    file.close();
  }
}

/** What cannot be looked at where no page tells the layout of the file. */
const NEED_META = ['page-tree', 'page-accounting', 'revisions', 'meta-bucket'] as const;

function checkSize(size: number, meta: BoltMeta, problems: ProblemList): void {
  const expected = meta.pages * meta.pageSize + (hasTrailer(size) ? TRAILER_BYTES : 0);
  if (size === expected) return;
  const message = `the file has ${size} bytes, its ${meta.pages} pages and trailer need ${meta.pages * meta.pageSize + TRAILER_BYTES}`;
  problems.add(size < expected ? 'file-truncated' : 'file-too-long', message);
}

async function readFacts(file: SnapshotFile, meta: BoltMeta, problems: ProblemList, options: InspectOptions): Promise<Facts> {
  const { hashKv: withHashKv = true, maxChangedKeys } = options;
  const memory = new PageMemory(3);
  const snapshot = new OpenedSnapshot(file, meta, memory, maxChangedKeys);
  const marks = await snapshot.marks();
  const compactRevision = compactRevisionOf(marks);
  const unsettled = marks.scheduled > marks.finished;
  const wantHistory = withHashKv && compactRevision >= 0;
  const [toCompaction, toEnd] =
    unsettled || wantHistory
      ? await snapshot.changesUpTo(marks, [unsettled ? marks.scheduled : -1, wantHistory ? Number.MAX_SAFE_INTEGER : -1])
      : await snapshot.changesFor(marks, [NOTHING, NOTHING]);
  const inventory = inventoryOf(memory, marks, toCompaction, problems);
  const point = { revision: Number.MAX_SAFE_INTEGER, compactRevision };
  const tooMany = withHashKv && toEnd?.overflowed === true;
  const hashKv = withHashKv && toEnd !== undefined && !tooMany ? new HashKv(memory, point, marks, toEnd) : undefined;
  const before = problems.count;
  const reading = snapshot.reading(problems);
  const status = memory.running();
  const last = await readTrees(file, reading, status, hashKv === undefined ? [inventory] : [inventory, hashKv]);
  const revision = storeRevision(last, marks);
  return {
    revision,
    lastEntryRevision: last,
    compactRevision,
    totalKeys: inventory.totalKeys(),
    statusHash: crcText(status.value()),
    inventory: inventory.counts(),
    hashKv:
      hashKv === undefined || problems.count > before
        ? undefined
        : await finishHashKv(hashKv, snapshot, marks, { revision, compactRevision }),
    ...(tooMany ? { hashKvUnavailable: tooManyChanges(marks, maxChangedKeys) } : {}),
  };
}

const NOTHING = { revision: -1, compactRevision: -1 };

/** Where a begun compaction has too many changes before it to be remembered, entries are taken as if it had removed nothing yet. */
function inventoryOf(memory: PageMemory, marks: CompactionMarks, changes: ChangedKeys | undefined, problems: ProblemList): Inventory {
  if (changes?.overflowed !== true) return new Inventory(memory, marks, changes);
  const { scheduled, finished } = marks;
  problems.note('revisions', `live keys are counted as if the compaction at ${scheduled} had not begun: too many keys changed before it`);
  return new Inventory(memory, { scheduled: finished, finished });
}

async function finishHashKv(
  hashKv: HashKv,
  snapshot: OpenedSnapshot,
  marks: CompactionMarks,
  point: { readonly revision: number; readonly compactRevision: number },
): Promise<HashKvResult> {
  return { ...point, hash: crcText(hashKv.nothingLives() ? await hashOfEmptied(snapshot, marks, point) : hashKv.hash()) };
}

/** The one full reading: every bucket in order into the status hash, every page accounted for. Returns the last main revision. */
async function readTrees(
  file: SnapshotFile,
  reading: Reading,
  status: RunningCrc,
  observers: readonly (Inventory | HashKv)[],
): Promise<number> {
  const { buckets, claims, memory, meta, problems } = reading;
  claims.use(0, Math.min(2, claims.pages), 'the meta pages');
  const accountable = readFreelist(file, meta, claims, problems);
  const data = (start: number, end: number) => status.update(start, end);
  const all = await buckets.list(meta.root);
  let last: number | undefined;
  for (const bucket of all) {
    const name = Buffer.from(bucket.name, 'latin1');
    const at = memory.place(name);
    status.update(at, at + name.length);
    if (bucket.name === KEY_BUCKET) last = await reading.revisions(bucket, observers, data);
    else if (bucket.name === META_BUCKET) await reading.metaBucket(bucket, data);
    else await buckets.read(bucket, { data });
  }
  if (last === undefined)
    problems.add('key-bucket-missing', `there is no key bucket among the ${all.length} buckets: this is no etcd database`);
  if (problems.unread()) problems.incomplete('page-accounting', 'pages below damaged ones were not reached');
  if (accountable) {
    for (const [first, end] of claims.lost())
      problems.add('page-lost', `pages ${first} to ${end} are neither used nor in the free list`, first);
  }
  return last ?? 0;
}
