import { readEntry, readManifests, sortListing } from '../backup/catalog';
import type { ListedObject } from '../backup/catalog';
import type { StoredSnapshot } from '../backup/retention';
import { messageOf } from '../contract/lifeboat-error';
import { BEFORE_RESTORE, isFromBeforeRestore } from './choose-snapshot';
import type { ManifestReader } from './find-snapshot';

export interface SnapshotList extends ManifestReader {
  /** Every object under the prefix of the cluster's snapshots. @throws StoreFailed */
  list(): Promise<ListedObject[]>;
}

/** The verified snapshots that are whole by their listing, newest first. @throws StoreFailed */
export async function verifiedSnapshots(catalog: SnapshotList, cluster: string): Promise<StoredSnapshot[]> {
  const { manifests, objects } = sortListing(cluster, await catalog.list());
  return (await readManifests(catalog, manifests))
    .flatMap(({ id, text }) => {
      const entry = readEntry(cluster, id, text, objects.get(id));
      return entry.kind === 'snapshot' && entry.snapshot.verified ? [entry.snapshot] : [];
    })
    .sort((a, b) => b.takenAt.getTime() - a.takenAt.getTime() || b.revision - a.revision);
}

/**
 * Which verified snapshot comes into question instead of one that is damaged, in words; the newest is the one that loses least. What restores took
 * before they began is passed over as `latest` does.
 */
export async function anotherThan(catalog: SnapshotList, cluster: string, damagedId: string): Promise<string> {
  try {
    const others = (await verifiedSnapshots(catalog, cluster)).filter(({ id }) => id !== damagedId);
    const newest = others.find((each) => !isFromBeforeRestore(each));
    if (newest === undefined) {
      const [safety] = others;
      const but = safety && ` but ${safety.id}, which a restore took before it began, ${BEFORE_RESTORE}`;
      return `no other verified one is listed${but ?? ''}: look for an earlier version of the object, or in the replica`;
    }
    return `try ${newest.id}, the newest other verified one, or an earlier version of the object, or the replica`;
  } catch (error) {
    return `which one to try instead cannot be said (${messageOf(error)})`;
  }
}
