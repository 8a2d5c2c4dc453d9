import { z } from 'zod';
import { isSnapshotId } from './s3-keys';

/** -0, which JSON can spell and no revision is, is 0: written again it would be another text for the same ledger. */
const count = z
  .number()
  .int()
  .nonnegative()
  .overwrite((value) => value + 0);
const time = z.iso.datetime();

/** How fast a lineage is written to, measured between two polls that each reached a member with a leader. */
export const WriteRate = z.object({
  /** The last poll that measured, and the revision that it saw: the next one measures from here. */
  at: time,
  revision: count,
  /** Revisions per minute between the last two polls that measured; missing after the first. */
  recent: count.optional(),
  /** The most revisions that a minute may have held so far; missing after the first poll. */
  peak: count.optional(),
});
export type WriteRate = Readonly<z.infer<typeof WriteRate>>;

/** One unbroken history of revisions, by etcd's cluster id (docs/adr/0002). */
export const Lineage = z.object({
  /** The highest revision that any member was ever seen at, or that a snapshot holds. */
  revision: count,
  /** When that revision was first seen. */
  raisedAt: time,
  firstSeenAt: time,
  /** When it was last known to have come no further than `revision`; missing when only a member without a leader ever told of that revision. */
  lastSeenAt: time.optional(),
  rate: WriteRate.optional(),
});
export type Lineage = Readonly<z.infer<typeof Lineage>>;

/** A restore that was begun: from then on revisions up to `bumpedTo` may have been served, whether or not anybody polled. */
export const RestoreRecord = z.object({
  at: time,
  /** Id of the snapshot. */
  snapshot: z.string().min(1),
  fromLineage: z.string().min(1),
  bumpedTo: count,
  /** Known once the restored cluster has answered. */
  newLineage: z.string().min(1).optional(),
});
export type RestoreRecord = Readonly<z.infer<typeof RestoreRecord>>;

export const VerifiedMark = z.object({
  id: z.string().refine(isSnapshotId),
  takenAt: time,
  revision: count,
  lineage: z.string().min(1),
});
export type VerifiedMark = Readonly<z.infer<typeof VerifiedMark>>;

/** Restores that are remembered one by one; `ceiling` remembers how far all earlier ones went. */
export const MOST_RESTORES = 20;

/** `clusters/<cluster>/ledger.json`, version 1: how far the revisions of a cluster ever went. Times are ISO 8601 in UTC. */
export const Ledger = z.object({
  version: z.literal(1),
  /** The highest revision that was ever seen or promised, in any lineage. */
  ceiling: count,
  lineages: z.record(z.string().min(1), Lineage),
  /** Newest first. */
  restores: z.array(RestoreRecord).max(MOST_RESTORES),
  newestVerified: VerifiedMark.optional(),
});
export interface Ledger {
  readonly version: 1;
  readonly ceiling: number;
  readonly lineages: Readonly<Record<string, Lineage>>;
  readonly restores: readonly RestoreRecord[];
  readonly newestVerified?: VerifiedMark;
}
