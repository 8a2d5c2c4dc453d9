import type { Lineage, RestoreRecord } from '../contract/ledger';
import type { Manifest } from '../contract/manifest';
import { RevisionsExhausted } from './errors';
import { lineageOf, mergeManifests } from './ledger';
import type { MergedLedger, Witness } from './ledger';
import { DAY_MS, MINUTE_MS, REFRESH_MS } from './write-rate';

/** etcd's own rule of thumb: 1,000,000,000 covers a week below 1500 writes a second (etcd.io/docs, op-guide/recovery). */
const UNKNOWN_PER_MINUTE = 1_500 * 60;
const UNKNOWN_MS = 7 * DAY_MS;
/** A rate counts as known when a whole day was measured, so that what a cluster does once a day is in it. */
const TRUSTED_MS = DAY_MS;
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

/**
 * How far to bump the revision of a snapshot on its restore, so that the first revision served afterwards is above everything that clients
 * ever saw, in any lineage. It counts from what was served and not from the snapshot, so it holds on every further restore of the same one.
 *
 * etcdutl adds the bump to the newest *entry* of the file (`etcdutl/snapshot/v3_snapshot.go`, `modifyLatestRevision`). Where the file was
 * compacted at its very revision, that entry may be gone (a deletion, for example), so the bump then counts from 0.
 *
 * @param now a clock that ran backwards, or that ran ahead when the ledger was written, widens the slack and never takes it below LEAST_SLACK
 * @throws RevisionsExhausted when the result would not be a number that is exact in JSON, 2^53: no etcd comes there by writing, so
 *   the ledger holds a revision that never was
 */
export function bumpFor(ledger: MergedLedger, snapshot: Witness & Pick<Manifest, 'compactRevision'>, now: Date): Bump {
  const known = mergeManifests(ledger, [snapshot]);
  const claims = [
    { revision: known.ceiling, slack: LEAST_SLACK, because: 'the highest revision in the ledger' },
    ...Object.entries(known.lineages).map(([id, lineage]) => claimOfLineage(id, lineage, now)),
    ...known.restores.filter((record) => !isFollowed(known, record)).map((record) => claimOfRestore(record, now)),
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

function claimOfLineage(id: string, { revision, lastSeenAt, rate }: Lineage, now: Date): Claim {
  const trusted = rate?.peak !== undefined && Date.parse(rate.at) - Date.parse(rate.since) >= TRUSTED_MS;
  const measured = Math.min((rate?.peak ?? 0) * MARGIN, MOST_PER_MINUTE);
  const elapsed = lastSeenAt === undefined ? undefined : elapsedMs(lastSeenAt, now);
  // Where one thing is unknown the other is not relied on alone.
  const pace = trusted && elapsed !== undefined ? measured : Math.max(measured, UNKNOWN_PER_MINUTE);
  const what = `lineage ${id}, which was at ${revision} ${elapsed === undefined ? 'at an unknown time' : `${minutes(elapsed)} minutes ago`}`;
  const how = trusted ? 'twice its busiest minute' : 'a rate not measured for a day yet';
  return { revision, slack: slackOf(pace, elapsed), because: `${what}, at ${pace} revisions a minute (${how})` };
}

/** Until the new lineage was polled, nobody knows how far it came. */
function claimOfRestore({ bumpedTo, snapshot, at }: RestoreRecord, now: Date): Claim {
  const because = `the restore of ${snapshot} at ${at} to ${bumpedTo}, at ${UNKNOWN_PER_MINUTE} revisions a minute (unknown)`;
  return { revision: bumpedTo, slack: slackOf(UNKNOWN_PER_MINUTE, elapsedMs(at, now)), because };
}

/** The new lineage tells of itself by now. */
function isFollowed(ledger: MergedLedger, { newLineage, at }: RestoreRecord): boolean {
  const lastSeenAt = newLineage === undefined ? undefined : lineageOf(ledger, newLineage)?.lastSeenAt;
  return lastSeenAt !== undefined && Date.parse(lastSeenAt) >= Date.parse(at);
}

const slackOf = (perMinute: number, elapsed: number = UNKNOWN_MS): number => LEAST_SLACK + Math.ceil((perMinute * elapsed) / MINUTE_MS);

/** Undefined when the time is yet to come: one of the two clocks is wrong. Clocks of two machines differ by seconds without being wrong. */
function elapsedMs(time: string, now: Date): number | undefined {
  const elapsed = now.getTime() - Date.parse(time);
  return elapsed < -REFRESH_MS ? undefined : Math.max(0, elapsed);
}

const minutes = (ms: number): number => Math.round(ms / MINUTE_MS);
