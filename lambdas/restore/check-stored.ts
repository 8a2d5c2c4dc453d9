import type { Disk } from '../backup/edges';
import { SnapshotTooLarge, SnapshotTruncated } from '../backup/errors';
import { SnapshotDigest } from '../backup/snapshot-digest';
import type { Drill, Manifest } from '../contract/manifest';
import { Metric } from '../contract/metrics';
import type { DrillEvent } from '../contract/restore-events';
import { verifiedSnapshots } from './another-snapshot';
import type { SnapshotList } from './another-snapshot';
import { differencesFrom } from './compare-with-manifest';
import { SnapshotNotFound, StoredSnapshotDamaged } from './errors';
import { findSnapshot } from './find-snapshot';
import { plainBlocks } from './plain-blocks';
import type { ReadEdges } from './plain-blocks';
import { stampDrill } from './stamp-drill';
import type { ManifestDocuments } from './stamp-drill';

export interface CheckStoredEdges extends ReadEdges {
  readonly catalog: SnapshotList;
  readonly manifests: ManifestDocuments;
  readonly disk: Pick<Disk, 'open' | 'inspect'>;
  readonly now: () => Date;
}

export interface CheckStoredSettings {
  readonly cluster: string;
  /** Of the plain file, which the disk was sized for. */
  readonly maxDbBytes: number;
}

export type DrillResult = Drill & { readonly id: string };

/** Of all that a drill found wrong: a manifest is no place for more. */
const LONGEST_DETAIL = 1000;

/**
 * The weaker form of a drill, where nothing can be restored: fetches a stored snapshot whole, judges the file as a backup does, and
 * compares what it says with the manifest. How it went is written into the manifest and told by a metric.
 *
 * A drill that fails is an answer. One that could not be held is an error, and says nothing of the snapshot.
 *
 * @param requestId by which it is told apart from others
 * @throws SnapshotNotFound when there is none to drill; ManifestDamaged, SnapshotOfOtherCluster, SnapshotTooLarge, SnapshotReadBroken,
 * RestoreOutOfTime, DrillNotRecorded, and the errors of the edges (SpoolFull, StoreFailed)
 */
export async function checkStored(
  edges: CheckStoredEdges,
  settings: CheckStoredSettings,
  event: DrillEvent,
  requestId: string,
): Promise<DrillResult> {
  const started = edges.now();
  const manifest = await chosen(edges, settings.cluster, event);
  if (manifest.plainBytes > settings.maxDbBytes)
    throw new SnapshotTooLarge(
      `snapshot ${manifest.id} has ${manifest.plainBytes} bytes, and the disk was made for ${settings.maxDbBytes}: raise backup.maxDbSizeGiB and deploy again`,
    );
  const wrong = await problemsOf(edges, manifest);
  const passed = wrong.length === 0;
  const drill: Drill = {
    at: started.toISOString(),
    kind: 'in-function',
    passed,
    ...(passed ? {} : { detail: wrong.join('; ').slice(0, LONGEST_DETAIL) }),
    seconds: (edges.now().getTime() - started.getTime()) / 1000,
    by: requestId,
  };
  edges.telemetry.count(Metric.drillPassed, Number(passed), 'Count');
  edges.telemetry[passed ? 'log' : 'warn'](passed ? 'drill-passed' : 'drill-failed', { id: manifest.id, ...drill });
  await stampDrill(edges, manifest.id, drill);
  return { id: manifest.id, ...drill };
}

async function chosen({ catalog }: CheckStoredEdges, cluster: string, { snapshotId }: DrillEvent): Promise<Manifest> {
  // Whoever names one may know why no majority confirmed it.
  if (snapshotId !== undefined) return findSnapshot(catalog, { cluster, id: snapshotId, allowUnverified: true });
  const [newest] = await verifiedSnapshots(catalog, cluster);
  if (newest === undefined)
    throw new SnapshotNotFound(`no verified snapshot of ${cluster} is listed, so there is none to drill: take one first`);
  return findSnapshot(catalog, { cluster, id: newest.id, allowUnverified: false });
}

/** What is wrong with the stored snapshot; whatever only says that it could not be looked at is thrown. */
async function problemsOf(edges: CheckStoredEdges, manifest: Manifest): Promise<string[]> {
  const spool = await edges.disk.open(`drill-${manifest.id}`);
  try {
    const running = new SnapshotDigest();
    for await (const block of plainBlocks(edges, manifest)) {
      running.update(block);
      await spool.write(block);
    }
    await spool.finish();
    const digest = running.finish();
    return differencesFrom(manifest, digest, await edges.disk.inspect(spool.path, digest.databaseSha256));
  } catch (error) {
    if (error instanceof StoredSnapshotDamaged || error instanceof SnapshotTruncated) return [error.message];
    throw error;
  } finally {
    await spool.discard();
  }
}
