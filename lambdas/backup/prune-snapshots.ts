import { messageOf } from '../contract/lifeboat-error';
import { Metric } from '../contract/metrics';
import type { RetentionPolicy } from '../contract/retention';
import { readEntry, readManifests, sortListing } from './catalog';
import type { ListedObject, Listing } from './catalog';
import { DeniedRemovals } from './denied-removals';
import { drillAgeSeconds } from './drill-age';
import type { RunLock, Telemetry } from './edges';
import { PruneIncomplete } from './errors';
import { planRetention } from './retention';
import type { StoredSnapshot, Verdict } from './retention';

export type Removal = { readonly outcome: 'removed' } | { readonly outcome: 'denied'; readonly because: string };

/** The stored snapshots of one cluster, and the little that pruning remembers. Every call may throw StoreFailed. */
export interface SnapshotCatalog {
  /** Every object under the prefix of the cluster's snapshots. */
  list(): Promise<ListedObject[]>;
  /** Undefined when it is gone since the listing. */
  readManifest(id: string): Promise<string | undefined>;
  remove(id: string, part: 'manifest' | 'object'): Promise<Removal>;
  readPruneState(): Promise<string | undefined>;
  writePruneState(text: string): Promise<void>;
}

export interface PruneEdges {
  readonly catalog: SnapshotCatalog;
  readonly lock: RunLock;
  readonly telemetry: Telemetry;
  readonly now: () => Date;
}

export interface PruneSettings {
  readonly cluster: string;
  readonly policy: RetentionPolicy;
}

export type PruneResult =
  | { readonly outcome: 'skipped'; readonly because: string }
  | {
      readonly outcome: 'pruned';
      readonly counts: Readonly<Record<'kept' | 'removed' | 'denied' | 'waiting' | 'left' | 'swept' | 'damaged', number>>;
      /** Every verdict, newest first, also those whose removal was refused or is left for the next run. */
      readonly verdicts: readonly Verdict[];
      readonly damaged: readonly { readonly id: string; readonly because: string }[];
      readonly denied: readonly { readonly id: string; readonly because: string }[];
      readonly swept: readonly string[];
    };

/** A removal is two calls of some 30 ms: 1000 take a minute of the five that a run and its lock may last. */
const MOST_REMOVALS = 1000;
/** A run lasts 15 minutes at most, so an object without a manifest that is older than this is nobody's any more. */
const UNLISTED_FOR_MS = 86_400_000;

/**
 * Removes what the policy rejects, and objects that no manifest lists. Safe to repeat: the plan is made anew from the listing.
 *
 * Under a lock of its own, so that two of it never remove at once; one that is held is an answer, not an error. A backup may publish meanwhile:
 * what it adds is newer than everything that was listed, and its object is no day old. A removal
 * takes the manifest first: cut short, it leaves an unlisted object, which a later run sweeps, and never a listed snapshot without one.
 *
 * @param requestId holds the lock; a request that Lambda repeats takes over the lock that its first try died with
 * @throws PruneIncomplete when S3 failed on some removals, after all others were done, and the StoreFailed of the listing
 */
export async function pruneSnapshots(edges: PruneEdges, settings: PruneSettings, requestId: string): Promise<PruneResult> {
  const lock = await edges.lock.acquire(requestId);
  if (!lock.acquired) {
    const because = `request ${lock.holder} holds the lock until ${lock.expiresAt}`;
    edges.telemetry.log('prune-skipped', { because });
    return { outcome: 'skipped', because };
  }
  try {
    return await underLock(edges, settings);
  } finally {
    await lock.release().catch((error: unknown) => edges.telemetry.warn('lock-not-released', { because: messageOf(error) }));
  }
}

async function underLock(edges: PruneEdges, { cluster, policy }: PruneSettings): Promise<PruneResult> {
  const { catalog, telemetry } = edges;
  const now = edges.now();
  const listing = sortListing(cluster, await catalog.list());
  const { snapshots, damaged } = await sortManifests(catalog, cluster, listing);
  const verdicts = planRetention(snapshots, policy, now);
  const removals = new Removals(catalog, DeniedRemovals.parse(await catalog.readPruneState()), now);

  for (const { id } of damaged) telemetry.warn('manifest-damaged', { id });
  // Oldest first: whatever a run leaves for the next is the younger.
  for (const { action, id } of verdicts.toReversed()) if (action === 'remove') await removals.take(id, ['manifest', 'object']);
  const removed = removals.done.length;
  for (const id of listing.unlisted) if (isAbandoned(listing.objects.get(id), now)) await removals.take(id, ['object']);
  await removals.remember(new Set([...listing.manifests, ...listing.unlisted]));

  const swept = removals.done.slice(removed);
  const kept = verdicts.filter(({ action }) => action === 'keep').length;
  const { denied, waiting, left } = removals;
  const counts = { kept, removed, denied: denied.length, waiting, left, swept: swept.length, damaged: damaged.length };
  telemetry.count(Metric.snapshotsPruned, counts.removed, 'Count');
  // Also those that wait for their next try: what S3 refused stays refused until somebody has looked.
  telemetry.count(Metric.snapshotRemovalsDenied, counts.denied + counts.waiting, 'Count');
  telemetry.count(Metric.snapshotObjectsSwept, counts.swept, 'Count');
  // Here, where every manifest was read anyway.
  telemetry.count(Metric.drillAge, drillAgeSeconds(snapshots, now), 'Seconds');
  telemetry.count(Metric.manifestsDamaged, counts.damaged, 'Count');
  telemetry.log('snapshots-pruned', { counts, removed: verdicts.filter(({ action }) => action === 'remove'), denied, swept, damaged });
  const [failure] = removals.failures;
  if (failure !== undefined) {
    throw new PruneIncomplete(
      `${removals.failures.length} removals failed, first ${failure.id}: ${failure.because}; the next run tries them again`,
    );
  }
  return { outcome: 'pruned', counts, verdicts, damaged, denied, swept };
}

async function sortManifests(catalog: SnapshotCatalog, cluster: string, listing: Listing) {
  const snapshots: StoredSnapshot[] = [];
  const damaged: { id: string; because: string }[] = [];
  for (const { id, text } of await readManifests(catalog, listing.manifests)) {
    const entry = readEntry(cluster, id, text, listing.objects.get(id));
    if (entry.kind === 'snapshot') snapshots.push(entry.snapshot);
    else damaged.push({ id: entry.id, because: entry.because });
  }
  return { snapshots, damaged };
}

const isAbandoned = (object: ListedObject | undefined, now: Date): boolean =>
  object !== undefined && now.getTime() - object.lastModified.getTime() > UNLISTED_FOR_MS;

/** The removals of one run: no failure of one stops another, and one that S3 refused is left alone for a while. */
class Removals {
  readonly done: string[] = [];
  readonly denied: { readonly id: string; readonly because: string }[] = [];
  readonly failures: { readonly id: string; readonly because: string }[] = [];
  waiting = 0;
  left = 0;

  constructor(
    private readonly catalog: SnapshotCatalog,
    private readonly memory: DeniedRemovals,
    private readonly now: Date,
  ) {}

  async take(id: string, parts: readonly ('manifest' | 'object')[]): Promise<void> {
    if (this.memory.isWaiting(id, this.now)) this.waiting++;
    else if (this.done.length + this.denied.length + this.failures.length >= MOST_REMOVALS) this.left++;
    else await this.remove(id, parts);
  }

  private async remove(id: string, parts: readonly ('manifest' | 'object')[]): Promise<void> {
    try {
      for (const part of parts) {
        const removal = await this.catalog.remove(id, part);
        if (removal.outcome === 'denied') {
          this.memory.note(id, removal.because, this.now);
          this.denied.push({ id, because: removal.because });
          return;
        }
      }
      this.done.push(id);
    } catch (error) {
      this.failures.push({ id, because: messageOf(error) });
    }
  }

  async remember(present: ReadonlySet<string>): Promise<void> {
    const gone = new Set(this.done);
    this.memory.retain(new Set([...present].filter((id) => !gone.has(id))));
    const text = this.memory.textToStore();
    if (text !== undefined) await this.catalog.writePruneState(text);
  }
}
