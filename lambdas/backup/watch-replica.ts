import { Metric } from '../contract/metrics';
import type { ListedObject } from './catalog';
import { compareReplica } from './compare-replica';
import type { MissingSnapshot, ReplicaReport } from './compare-replica';
import type { Telemetry } from './edges';

export interface WatchReplicaEdges {
  /** Every object under the prefix of the cluster's snapshots, in each bucket. Both may throw StoreFailed. */
  readonly here: { list(): Promise<ListedObject[]> };
  readonly there: { list(): Promise<ListedObject[]> };
  readonly telemetry: Telemetry;
  readonly now: () => Date;
}

/** As many as a log line holds with ease; the counts tell of all. */
const MOST_NAMED = 20;

/**
 * Measures how far the copy in the other region is behind, by looking there: S3's own status says that it sent an object, and keeps
 * saying so when somebody deletes the copy. When either bucket cannot be listed there is no measurement, and the alarm counts that as one.
 *
 * @throws StoreFailed when one of the buckets cannot be listed
 */
export async function watchReplica({ here, there, telemetry, now }: WatchReplicaEdges, cluster: string): Promise<ReplicaReport> {
  // The replica first: whatever is published in between is then late at worst by one call, never missed.
  const copies = await there.list();
  const report = compareReplica(cluster, await here.list(), copies, now());
  const { snapshots, whole, behind, older, behindSeconds } = report;
  telemetry.count(Metric.replicaBehind, behindSeconds, 'Seconds');
  telemetry.count(Metric.replicaMissing, behind.length + older.length, 'Count');
  const fields = { snapshots, whole, behindSeconds, behind: named(behind), older: named(older) };
  if (behind.length + older.length === 0) telemetry.log('replica-whole', fields);
  else telemetry.warn('replica-incomplete', fields);
  return report;
}

const named = (missing: readonly MissingSnapshot[]) => ({ count: missing.length, first: missing.slice(0, MOST_NAMED) });
