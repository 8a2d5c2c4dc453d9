import type { ChangedKeys } from './changed-keys';
import { MAX_CHANGED_KEYS } from './changed-keys';
import type { CompactionMarks } from './compaction';
import { compactRevisionOf } from './compaction';
import { crcText } from './crc32c';
import { SnapshotDamaged } from './errors';
import type { HashKvPoint } from './hash-kv-rule';
import { HashKv } from './hash-kv-rule';
import { readMeta } from './meta';
import { KEY_BUCKET, OpenedSnapshot } from './opened-snapshot';
import { PageMemory } from './page-memory';
import { ProblemList } from './problems';
import { SnapshotFile } from './snapshot-file';

/** A HashKV as members report it: eight hex digits, and the two revisions that it is only comparable at. */
export interface HashKvResult extends HashKvPoint {
  readonly hash: string;
}

/** Hashes for some points, given what changed up to their revisions; undefined where nothing lives and the rule of {@link HashKv} needs more. */
async function attempt(
  snapshot: OpenedSnapshot,
  marks: CompactionMarks,
  points: readonly HashKvPoint[],
  changes: readonly ChangedKeys[],
): Promise<HashKv[]> {
  if (changes.some(({ overflowed }) => overflowed)) throw new RangeError(tooManyChanges(marks));
  const problems = new ProblemList();
  const hashes = points.map((point, i) => new HashKv(snapshot.memory, point, marks, required(changes[i])));
  const bucket = await snapshot.bucket(KEY_BUCKET);
  if (bucket === undefined) throw new SnapshotDamaged('the file has no key bucket: inspect it before hashing');
  await snapshot.reading(problems).revisions(bucket, hashes);
  const [first] = problems.kept;
  if (first !== undefined) throw new SnapshotDamaged(`${first.message} (${problems.count} problems): inspect the file before hashing`);
  return hashes;
}

const required = (changes: ChangedKeys | undefined): ChangedKeys => {
  if (changes === undefined) throw new RangeError('one set of changes belongs to each point');
  return changes;
};

/** Why a file with more changed keys than are remembered has no HashKV. */
export const tooManyChanges = ({ finished }: CompactionMarks, limit = MAX_CHANGED_KEYS): string =>
  `more than ${limit} keys changed after the compaction at ${finished}: HashKV would take too much memory`;

/** HashKV at a point at which nothing lives: there a compaction at its compact revision decides what counts. */
export async function hashOfEmptied(snapshot: OpenedSnapshot, marks: CompactionMarks, point: HashKvPoint): Promise<number> {
  const [hash] = await attempt(snapshot, marks, [point], await snapshot.changesUpTo(marks, [point.compactRevision]));
  return hash?.hash() ?? 0;
}

function checkPoint({ revision, compactRevision }: HashKvPoint, own: number, last: number): void {
  if (compactRevision < own)
    throw new RangeError(`the file is compacted at ${own}: it cannot tell a hash with compaction at ${compactRevision}`);
  if (revision < compactRevision || revision > last)
    throw new RangeError(`revision ${revision} is not in ${compactRevision}..${last}, the revisions of the file`);
}

/**
 * The HashKV that members have at several points, in one reading of the file and one of what changed after its compaction (and one
 * more for each point at which no key lives).
 *
 * @param points a compact revision may be above the file's own: a later compaction can be foretold, an earlier one not. Left out, it is
 *   the file's own.
 * @throws RangeError for a point that the file cannot know about, or with more changed keys behind its compaction than are remembered;
 *   SnapshotFileError when it is damaged or cannot be read
 */
export async function hashKvsOf(path: string, points: readonly { revision: number; compactRevision?: number }[]): Promise<HashKvResult[]> {
  const file = SnapshotFile.open(path);
  try {
    const meta = readMeta(file, new ProblemList());
    if (meta === undefined) throw new SnapshotDamaged(`${path} has no valid meta page: it is no bbolt file, or damaged`);
    const snapshot = new OpenedSnapshot(file, meta, new PageMemory(2 * points.length));
    const marks = await snapshot.marks();
    const [own, last] = [compactRevisionOf(marks), await snapshot.lastRevision(marks)];
    const asked = points.map(({ revision, compactRevision = own }) => ({ revision, compactRevision }));
    for (const point of asked) checkPoint(point, own, last);
    const hashes = await attempt(snapshot, marks, asked, await snapshot.changesFor(marks, asked));
    const results: HashKvResult[] = [];
    for (const [i, point] of asked.entries()) {
      const hash = hashes[i];
      if (hash === undefined) continue;
      results.push({ ...point, hash: crcText(hash.nothingLives() ? await hashOfEmptied(snapshot, marks, point) : hash.hash()) });
    }
    return results;
  } finally {
    file.close();
  }
}

/** As {@link hashKvsOf}, for one point. */
export async function hashKvOf(path: string, revision: number, compactRevision?: number): Promise<HashKvResult> {
  const [result] = await hashKvsOf(path, [compactRevision === undefined ? { revision } : { revision, compactRevision }]);
  if (result === undefined) throw new RangeError('a point was asked and none answered');
  return result;
}
