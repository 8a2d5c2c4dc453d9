import { parseManifest } from '../backup/catalog';
import type { Manifest } from '../contract/manifest';
import { ManifestDamaged, SnapshotNotFound, SnapshotNotVerified, SnapshotOfOtherCluster } from './errors';

export interface ManifestReader {
  /** Undefined when there is none. @throws StoreFailed */
  readManifest(id: string): Promise<string | undefined>;
}

/** What is wanted, and whether one that no majority confirmed will do. */
export interface WantedSnapshot {
  readonly cluster: string;
  readonly id: string;
  readonly allowUnverified: boolean;
}

/**
 * The manifest of one snapshot, judged as whoever builds on it must.
 *
 * @throws SnapshotNotFound, ManifestDamaged, SnapshotOfOtherCluster, SnapshotNotVerified, StoreFailed
 */
export async function findSnapshot(catalog: ManifestReader, { cluster, id, allowUnverified }: WantedSnapshot): Promise<Manifest> {
  const text = await catalog.readManifest(id);
  if (text === undefined) throw new SnapshotNotFound(`snapshot ${id} has no manifest: list those of ${cluster}, and name one of them`);
  const parsed = parseManifest(text);
  if ('wrong' in parsed)
    throw new ManifestDamaged(
      `the manifest of ${id} does not parse: ${parsed.wrong}; take another snapshot, or an earlier version of this manifest`,
    );
  const { manifest } = parsed;
  if (manifest.cluster !== cluster || manifest.id !== id)
    throw new SnapshotOfOtherCluster(
      `the manifest of ${id} says that it is of ${manifest.cluster} ${manifest.id}: somebody copied it here; take another snapshot`,
    );
  if (!manifest.verified && !allowUnverified)
    throw new SnapshotNotVerified(
      `snapshot ${id} is sound, but no majority confirmed it (${manifest.hashKv.verdict}): take a verified one, or allow it by "allowUnverified": true`,
    );
  return manifest;
}
