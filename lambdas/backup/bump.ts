import type { Lineage, RestoreRecord } from '../contract/ledger';
import type { Manifest } from '../contract/manifest';
import { RevisionsExhausted } from './errors';
import { lineageOf, mergeManifests } from './ledger';
import type { MergedLedger, Witness } from './ledger';
import { DAY_MS, MINUTE_MS, REFRESH_MS } from './write-rate';

/**
 * etcd's own rule of thumb: 1,000,000,000 covers a week below 1500 writes a second (etcd.io/docs, op-guide/recovery). Taken also where less
 * was measured: what is measured may be the quiet days, and a smaller bump saves nothing.
 */
const RULE_PER_MINUTE = 1_500 * 60;
const UNKNOWN_MS = 7 * DAY_MS;
/** On top of the busiest minute that was measured. */
const MARGIN = 2;
/** No etcd commits more: a rise above this was a bump. */
const MOST_PER_MINUTE = 100_000 * 60;
/** Ten minutes of the fastest etcd, so that no burst after the last poll escapes. A larger bump costs etcd nothing: it is one key. */
export const LEAST_SLACK = 10 * MOST_PER_MINUTE;

export interface Bump {
  /** For `etcdutl snapshot restore --bump-revision … --mark-compacted`. */
  readonly bump: number;
  /** The highest revision that is known to have been served or promised, in any lineage. */
  readonly servedUpTo: number;
  /** What may have been served since, unseen: the restored cluster starts at least this far above `servedUpTo`. */
  readonly slack: number;
  /** The highest revision at which the restored cluster can start: what `recordRestore` takes. */
  readonly bumpedTo: number;
  readonly because: string;
}

/** How far one part of the history may have come. */
interface Claim {
  readonly revision: number;
  readonly slack: number;
  readonly because: string;
}

/** What may be written in a minute that nobody saw. */
interface Pace {
  readonly perMinute: number;
  readonly because: string;
}

/**
 * How far to bump the revision of a snapshot on its restore, so that the first revision served afterwards is above everything that clients
 * ever saw, in any lineage. It counts from what was served and not from the snapshot, so it holds on every further restore of the same one.
 *
 * etcdutl adds the bump to the newest *entry* of the file (`etcdutl/snapshot/v3_snapshot.go`, `modifyLatestRevision`). Where the file was
 * compacted at its very revision, that entry may be gone: etcd before 3.5.16 drops a deletion there (etcd-io/etcd#18474). How much older the
 * newest one left is, no manifest tells, so the bump then counts from 0.
 *
 * @param now a clock that ran backwards, or that ran ahead when the ledger was written, widens the slack and never takes it below LEAST_SLACK
 * @throws RevisionsExhausted when the result would not be a number that is exact in JSON, 2^53: no etcd comes there by writing, so
 *   the ledger holds a revision that never was
 */
export function bumpFor(ledger: MergedLedger, snapshot: Witness & Pick<Manifest, 'compactRevision'>, now: Date): Bump {
  const known = mergeManifests(ledger, [snapshot]);
  const pace = paceOf(Object.values(known.lineages));
  const claims = [
    { revision: known.ceiling, slack: LEAST_SLACK, because: 'the highest revision in the ledger' },
    ...Object.entries(known.lineages).map(([id, { revision, lastSeenAt }]) => claim(`lineage ${id}`, revision, lastSeenAt, pace, now)),
    // Until the new lineage was seen, nobody knows how far it came.
    ...known.restores
      .filter((record) => !isFollowed(known, record))
      .map(({ snapshot: id, bumpedTo, at }) => claim(`the lineage that the restore of ${id} opened`, bumpedTo, at, pace, now)),
  ];
  const furthest = claims.reduce((a, b) => (b.revision + b.slack > a.revision + a.slack ? b : a));
  const target = furthest.revision + furthest.slack;
  const bump = target - (snapshot.revision > snapshot.compactRevision ? snapshot.revision : 0);
  const bumpedTo = snapshot.revision + bump;
  if (!Number.isSafeInteger(bumpedTo)) {
    throw new RevisionsExhausted(
      `the ledger says that revision ${known.ceiling} was served, and ${bumpedTo} is too large a number to bump to: correct ledger.json and its snapshots' manifests by hand`,
    );
  }
  return { bump, servedUpTo: known.ceiling, slack: target - known.ceiling, bumpedTo, because: furthest.because };
}

/** A cluster's habits outlive its restores, so the busiest minute of any lineage counts for all. */
function paceOf(lineages: readonly Lineage[]): Pace {
  const measured = Math.min(Math.max(0, ...lineages.map(({ rate }) => rate?.peak ?? 0)) * MARGIN, MOST_PER_MINUTE);
  return measured > RULE_PER_MINUTE
    ? { perMinute: measured, because: 'twice its busiest minute' }
    : { perMinute: RULE_PER_MINUTE, because: "etcd's rule of thumb" };
}

function claim(who: string, revision: number, seenAt: string | undefined, pace: Pace, now: Date): Claim {
  const elapsed = seenAt === undefined ? undefined : elapsedMs(seenAt, now);
  const when = elapsed === undefined ? 'at a time unknown' : `${Math.round(elapsed / MINUTE_MS)} minutes ago`;
  const slack = LEAST_SLACK + Math.ceil((pace.perMinute * (elapsed ?? UNKNOWN_MS)) / MINUTE_MS);
  return { revision, slack, because: `${who} was at ${revision} ${when}, and may write ${pace.perMinute} a minute (${pace.because})` };
}

/** The new lineage tells of itself by now. */
function isFollowed(ledger: MergedLedger, { newLineage, at }: RestoreRecord): boolean {
  const lastSeenAt = newLineage === undefined ? undefined : lineageOf(ledger, newLineage)?.lastSeenAt;
  return lastSeenAt !== undefined && Date.parse(lastSeenAt) >= Date.parse(at);
}

/** Undefined when the time is yet to come: one of the two clocks is wrong. Clocks of two machines differ by seconds without being wrong. */
function elapsedMs(time: string, now: Date): number | undefined {
  const elapsed = now.getTime() - Date.parse(time);
  return elapsed < -REFRESH_MS ? undefined : Math.max(0, elapsed);
}
