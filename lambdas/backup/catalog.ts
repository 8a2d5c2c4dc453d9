import { jsonOf, wrongFields } from '../contract/json';
import { Manifest } from '../contract/manifest';
import { snapshotIdOfManifestKey, snapshotIdOfObjectKey } from '../contract/s3-keys';
import type { StoredSnapshot } from './retention';

/** An object under the prefix of a cluster's snapshots, as a listing tells of it. */
export interface ListedObject {
  readonly key: string;
  readonly lastModified: Date;
  readonly bytes: number;
}

/** What lies under the prefix, by snapshot id. Objects of other names are nobody's here: neither counted nor touched. */
export interface Listing {
  readonly manifests: readonly string[];
  readonly objects: ReadonlyMap<string, ListedObject>;
  /** Snapshot objects that no manifest lists: left by a run that failed, or by a removal that was cut short. */
  readonly unlisted: readonly string[];
}

export function sortListing(cluster: string, listed: readonly ListedObject[]): Listing {
  const manifests = new Set<string>();
  const objects = new Map<string, ListedObject>();
  for (const object of listed) {
    const manifestOf = snapshotIdOfManifestKey(cluster, object.key);
    const objectOf = snapshotIdOfObjectKey(cluster, object.key);
    if (manifestOf !== undefined) manifests.add(manifestOf);
    if (objectOf !== undefined) objects.set(objectOf, object);
  }
  return { manifests: [...manifests], objects, unlisted: [...objects.keys()].filter((id) => !manifests.has(id)) };
}

/** A manifest is a few KiB, so this many at once hide the way to S3 and hold little. */
const READS_IN_FLIGHT = 16;

/** A manifest as it lies in S3. */
export interface StoredManifest {
  readonly id: string;
  readonly text: string;
}

/** The texts of these manifests, without those that went since they were listed. */
export async function readManifests(
  catalog: { readManifest(id: string): Promise<string | undefined> },
  ids: readonly string[],
): Promise<StoredManifest[]> {
  const found: StoredManifest[] = [];
  for (let at = 0; at < ids.length; at += READS_IN_FLIGHT) {
    const some = ids.slice(at, at + READS_IN_FLIGHT);
    const texts = await Promise.all(some.map(async (id) => ({ id, text: await catalog.readManifest(id) })));
    for (const { id, text } of texts) if (text !== undefined) found.push({ id, text });
  }
  return found;
}

/** A manifest's text as the manifest that it is, or the fields that do not parse. */
export function parseManifest(text: string): { readonly manifest: Manifest } | { readonly wrong: string } {
  const parsed = Manifest.safeParse(jsonOf(text));
  return parsed.success ? { manifest: parsed.data } : { wrong: wrongFields(parsed.error) };
}

export type CatalogEntry =
  | { readonly kind: 'snapshot'; readonly snapshot: StoredSnapshot }
  | { readonly kind: 'damaged'; readonly id: string; readonly because: string };

/**
 * A manifest's text as what retention decides on, or why it cannot be: it is then neither verified nor removable. A manifest
 * whose object is gone or of another size would count as a good snapshot that nobody can restore.
 */
export function readEntry(cluster: string, id: string, text: string, object: ListedObject | undefined): CatalogEntry {
  const damaged = (because: string): CatalogEntry => ({ kind: 'damaged', id, because });
  const parsed = parseManifest(text);
  if ('wrong' in parsed) return damaged(`the manifest does not parse: ${parsed.wrong}`);
  const { lineage, revision, trigger, verified, takenAt, lock, stored, ...named } = parsed.manifest;
  if (named.id !== id || named.cluster !== cluster) return damaged(`the manifest is of ${named.cluster} ${named.id}`);
  if (object === undefined) return damaged('its object is missing');
  if (object.bytes !== stored.bytes) return damaged(`its object has ${object.bytes} bytes, the manifest says ${stored.bytes}`);
  const lockedUntil = lock && { lockedUntil: new Date(lock.until) };
  const drill = lastingDrill(parsed.manifest.drills);
  return {
    kind: 'snapshot',
    snapshot: { id, lineage, revision, trigger, verified, takenAt: new Date(takenAt), ...lockedUntil, ...(drill && { drill }) },
  };
}

/** The strongest of the drills that passed, unless the last one failed: then none proves anything any more. */
function lastingDrill(drills: Manifest['drills'] = []): StoredSnapshot['drill'] {
  const [last] = drills;
  if (last?.passed !== true) return undefined;
  const restored = drills.some(({ kind, passed }) => passed && kind === 'restored');
  return { kind: restored ? 'restored' : 'in-function', passedAt: new Date(last.at) };
}
