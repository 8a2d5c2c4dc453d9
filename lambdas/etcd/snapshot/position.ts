import { compactRevisionOf } from './compaction';
import { SnapshotDamaged } from './errors';
import type { HashKvPoint } from './hash-kv-rule';
import { readMeta } from './meta';
import { OpenedSnapshot } from './opened-snapshot';
import { PageMemory } from './page-memory';
import { ProblemList } from './problems';
import { SnapshotFile } from './snapshot-file';

/**
 * The revision and the compaction of a file, from the few pages that tell them: known long before the file has been judged, and worth no
 * more than those pages are.
 *
 * @throws SnapshotFileError when there is no valid meta page or the file cannot be read
 */
export async function positionOf(path: string): Promise<HashKvPoint> {
  const file = SnapshotFile.open(path);
  try {
    const meta = readMeta(file, new ProblemList());
    if (meta === undefined) throw new SnapshotDamaged(`${path} has no valid meta page: it is no bbolt file, or damaged`);
    const snapshot = new OpenedSnapshot(file, meta, new PageMemory(0));
    const marks = await snapshot.marks();
    return { revision: await snapshot.lastRevision(marks), compactRevision: compactRevisionOf(marks) };
  } finally {
    file.close();
  }
}
