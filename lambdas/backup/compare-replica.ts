import { manifestKey, snapshotKey } from '../contract/s3-keys';
import { sortListing } from './catalog';
import type { ListedObject } from './catalog';

/** A listed snapshot that is not whole in the replica. */
export interface MissingSnapshot {
  readonly id: string;
  /** What the replica lacks, or holds in another size. */
  readonly lacks: readonly ('manifest' | 'object')[];
  /** When the snapshot was published here: from then on S3 owed the copy. */
  readonly publishedAt: Date;
}

export interface ReplicaReport {
  /** Snapshots that are listed and whole here. */
  readonly snapshots: number;
  readonly whole: number;
  /** Oldest first: what S3 owes. */
  readonly behind: readonly MissingSnapshot[];
  /** Oldest first: published before anything that the replica holds, so that S3 never copied them by itself. */
  readonly older: readonly MissingSnapshot[];
  /** Since the oldest of `behind` was published; 0 when there is none. */
  readonly behindSeconds: number;
}

const DAY_MS = 86_400_000;
const PARTS = [
  ['manifest', manifestKey],
  ['object', snapshotKey],
] as const;

/** A manifest is written within the run that wrote its object. One that is younger was written again, and its copy says nothing of that time. */
const LONGEST_RUN_MS = 15 * 60 * 1000;

/**
 * Compares what lies under the snapshots' prefix here and in the replica: presence and size of both objects of each snapshot.
 *
 * S3 copies what is written once replication is on, and nothing that was there before
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnt-replicated.html). So a snapshot older than all that the
 * replica holds is not late, and waits for a person. While the replica is empty everything of the last day counts as late, and the newest
 * in any case: replication that was never on must show for as long as it is not, and switching it on must not look like an outage of a year.
 * What only the replica holds is no loss, and no matter.
 */
export function compareReplica(cluster: string, here: readonly ListedObject[], there: readonly ListedObject[], now: Date): ReplicaReport {
  const source = new Map(here.map((object) => [object.key, object]));
  const replica = new Map(there.map((object) => [object.key, object]));
  const listed = sortListing(cluster, here)
    .manifests.map((id) => ({ id, publishedAt: source.get(manifestKey(cluster, id))?.lastModified ?? now }))
    .map((one) => ({ ...one, object: source.get(snapshotKey(cluster, one.id)) }))
    // A manifest without its object is nobody's snapshot: pruning reports it.
    .filter(({ object }) => object !== undefined)
    // By the object: a manifest is written again by each drill, and S3 owes the copy of that anew.
    .sort((a, b) => timeOf(a.object) - timeOf(b.object) || (a.id < b.id ? -1 : 1));

  const compared = listed.map(({ id, publishedAt }): MissingSnapshot => {
    const lacks = PARTS.filter(([, key]) => replica.get(key(cluster, id))?.bytes !== source.get(key(cluster, id))?.bytes);
    return { id, lacks: lacks.map(([part]) => part), publishedAt };
  });
  const rewritten = listed.map(({ object, publishedAt }) => publishedAt.getTime() - timeOf(object) > LONGEST_RUN_MS);
  const firstCopied = compared.findIndex(
    ({ lacks }, index) => !lacks.includes('object') || (!lacks.includes('manifest') && rewritten[index] !== true),
  );
  const ofLastDay = listed.findIndex(({ object }) => now.getTime() - timeOf(object) < DAY_MS);
  const since = firstCopied !== -1 ? firstCopied : ofLastDay === -1 ? compared.length - 1 : ofLastDay;
  const behind = compared.slice(Math.max(0, since)).filter(isMissing);
  const older = compared.slice(0, Math.max(0, since)).filter(isMissing);
  const owedSince = Math.min(now.getTime(), ...behind.map(({ publishedAt }) => publishedAt.getTime()));
  return {
    snapshots: compared.length,
    whole: compared.length - behind.length - older.length,
    behind,
    older,
    behindSeconds: Math.round((now.getTime() - owedSince) / 1000),
  };
}

const timeOf = (object: ListedObject | undefined): number => object?.lastModified.getTime() ?? 0;
const isMissing = ({ lacks }: MissingSnapshot): boolean => lacks.length > 0;
