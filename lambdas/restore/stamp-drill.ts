import type { ObjectLock, Telemetry } from '../backup/edges';
import { jsonOf } from '../contract/json';
import { MOST_DRILLS, Manifest } from '../contract/manifest';
import type { Drill } from '../contract/manifest';
import { DrillNotRecorded, ManifestDamaged, SnapshotNotFound } from './errors';

/** The manifests of a cluster, each written only over what was read. Every call may throw StoreFailed. */
export interface ManifestDocuments {
  read(id: string): Promise<{ readonly text: string; readonly etag: string } | undefined>;
  /** False when somebody else wrote first, or when it is gone. */
  write(id: string, text: string, over: string, lock: ObjectLock | undefined): Promise<boolean>;
}

export interface StampEdges {
  readonly manifests: ManifestDocuments;
  readonly telemetry: Telemetry;
  readonly now: () => Date;
}

/** Writes that may be lost to others, or to a lost answer. */
const TRIES = 5;
/** S3 refuses a lock that ends in the past, and its clock is another one than ours. */
const LOCK_MARGIN_MS = 60_000;

/**
 * Writes into a snapshot's manifest how a drill went; all else in it stays as it is, also what this version does not know.
 *
 * The new version is locked as the first one was, for as long as that lock still lasts; the first one stays until it ends. A snapshot
 * that was removed meanwhile stays removed.
 *
 * @throws SnapshotNotFound, ManifestDamaged, DrillNotRecorded when others wrote first each time, StoreFailed
 */
export async function stampDrill({ manifests, telemetry, now }: StampEdges, id: string, drill: Drill): Promise<void> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const stored = await manifests.read(id);
    if (stored === undefined) throw new SnapshotNotFound(`snapshot ${id} is gone, so its drill is recorded nowhere: drill another one`);
    const stamped = withDrill(id, stored.text, drill);
    // This very call wrote it, and the answer was lost.
    if (stamped === 'there') return;
    if (await manifests.write(id, stamped.text, stored.etag, lockThatLasts(stamped.lock, now()))) {
      telemetry.log('drill-stamped', { id, ...drill });
      return;
    }
    telemetry.log('drill-stamp-lost', { id, attempt });
  }
  throw new DrillNotRecorded(`others wrote the manifest of ${id} ${TRIES} times before this run could: run the drill again`);
}

/** @throws ManifestDamaged */
function withDrill(id: string, text: string, drill: Drill): { readonly text: string; readonly lock: Manifest['lock'] } | 'there' {
  const document = jsonOf(text);
  const parsed = Manifest.safeParse(document);
  if (!parsed.success || typeof document !== 'object')
    throw new ManifestDamaged(`the manifest of ${id} does not parse, and nothing is written over it: take another snapshot`);
  const { drills = [], lock } = parsed.data;
  if (drills.some(({ by, at, kind }) => by === drill.by && at === drill.at && kind === drill.kind)) return 'there';
  const next = [drill, ...drills].sort((a, b) => b.at.localeCompare(a.at)).slice(0, MOST_DRILLS);
  return { text: JSON.stringify({ ...document, drills: next }, undefined, 1), lock };
}

const lockThatLasts = (lock: ObjectLock | undefined, now: Date): ObjectLock | undefined =>
  lock !== undefined && new Date(lock.until).getTime() > now.getTime() + LOCK_MARGIN_MS ? lock : undefined;
