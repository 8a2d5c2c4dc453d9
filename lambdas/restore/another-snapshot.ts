import { parseManifest, readManifests, sortListing } from '../backup/catalog';
import type { ListedObject } from '../backup/catalog';
import { messageOf } from '../contract/lifeboat-error';
import type { ManifestReader } from './find-snapshot';

export interface SnapshotList extends ManifestReader {
  /** Every object under the prefix of the cluster's snapshots. @throws StoreFailed */
  list(): Promise<ListedObject[]>;
}

/** Which verified snapshot comes into question instead of one that is damaged, in words; the newest is the one that loses least. */
export async function anotherThan(catalog: SnapshotList, cluster: string, damagedId: string): Promise<string> {
  try {
    const { manifests } = sortListing(cluster, await catalog.list());
    const texts = await readManifests(
      catalog,
      manifests.filter((id) => id !== damagedId),
    );
    const verified = texts
      .flatMap(({ id, text }) => {
        const parsed = parseManifest(text);
        return 'manifest' in parsed && parsed.manifest.verified && parsed.manifest.id === id ? [parsed.manifest] : [];
      })
      .sort((a, b) => b.takenAt.localeCompare(a.takenAt) || b.revision - a.revision);
    const [newest] = verified;
    if (newest === undefined) return 'no other verified one is listed: look for an earlier version of the object, or in the replica';
    return `try ${newest.id}, the newest other verified one, or an earlier version of the object, or the replica`;
  } catch (error) {
    return `which one to try instead cannot be said (${messageOf(error)})`;
  }
}
