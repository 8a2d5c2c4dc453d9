import type { RetentionPolicy } from '../contract/retention';
import type { Drill, Manifest } from '../contract/manifest';

/** What retention needs to know of a listed snapshot. */
export interface StoredSnapshot {
  readonly id: string;
  readonly lineage: string;
  readonly revision: number;
  readonly takenAt: Date;
  readonly trigger: Manifest['trigger'];
  readonly verified: boolean;
  /** Until when S3 refuses to delete it. */
  readonly lockedUntil?: Date;
  /** The strongest proof that it is still good, and when one was last given; none when the last drill failed. */
  readonly drill?: { readonly kind: Drill['kind']; readonly passedAt: Date };
}

export type Tier = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly';

export type KeepReason =
  | 'from-the-future'
  | 'newest-verified'
  | 'newest-drilled'
  | 'newest-of-any-kind'
  | 'floor'
  | Tier
  | 'newest-of-lineage'
  | 'pre-change'
  | 'unverified-and-young'
  | 'unverified-and-not-superseded'
  | 'locked';
export type RemoveReason = 'superseded' | 'pre-change-expired' | 'unverified-and-superseded';

export type Verdict =
  | { readonly action: 'keep'; readonly id: string; readonly because: KeepReason }
  | { readonly action: 'remove'; readonly id: string; readonly because: RemoveReason };

const DAY_MS = 86_400_000;

/** The period that a time lies in, in UTC, as text that sorts by time. A week is named by its Monday: the ISO week. */
const PERIODS: readonly (readonly [tier: Tier, period: (time: Date) => string])[] = [
  ['hourly', (time) => time.toISOString().slice(0, 13)],
  ['daily', (time) => time.toISOString().slice(0, 10)],
  ['weekly', (time) => new Date(time.getTime() - ((time.getUTCDay() + 6) % 7) * DAY_MS).toISOString().slice(0, 10)],
  ['monthly', (time) => time.toISOString().slice(0, 7)],
  ['yearly', (time) => time.toISOString().slice(0, 4)],
];

/**
 * Decides the fate of every snapshot, newest first.
 *
 * Tiers count periods that hold a verified snapshot, so that a cluster whose snapshots have been failing for a month loses
 * nothing by the calendar. Removing what is rejected never changes the verdict on what is kept: whoever is compared with
 * is kept too. A snapshot whose time is yet to come is kept and left out of every comparison.
 */
export function planRetention(snapshots: readonly StoredSnapshot[], policy: RetentionPolicy, now: Date): Verdict[] {
  const kept = new Map<string, KeepReason>();
  const keep = (because: KeepReason, which: Iterable<StoredSnapshot>) => {
    for (const { id } of which) if (!kept.has(id)) kept.set(id, because);
  };
  const past = snapshots.filter(({ takenAt }) => takenAt <= now);
  const verified = past.filter((snapshot) => snapshot.verified);
  const youngerThan = (days: number) => (snapshot: StoredSnapshot) => now.getTime() - snapshot.takenAt.getTime() <= days * DAY_MS;

  keep('from-the-future', snapshots.filter(({ takenAt }) => takenAt > now)); // prettier-ignore
  keep('newest-verified', newestOf(verified));
  keep('newest-drilled', newestOf(bestDrilled(past)));
  keep('floor', floorOf(verified, policy.floor));
  const scheduled = verified.filter(({ trigger }) => trigger === 'scheduled');
  for (const [tier, period] of PERIODS) keep(tier, lastOfEach(scheduled, period, policy[tier]));
  // Only what stays whatever the hour can supersede: one that goes itself must not take others with it.
  const lasting = verified.filter(({ id }) => kept.has(id));
  const superseded = (snapshot: StoredSnapshot) => lasting.some((other) => isNewer(other, snapshot));
  keep('newest-of-any-kind', newestOf(past));
  keep('newest-of-lineage', newestOfEachLineage(verified).filter(youngerThan(policy.lineageDays)));
  keep('pre-change', past.filter(isPreChange).filter(youngerThan(policy.preChangeDays)));
  const unverified = past.filter((snapshot) => !snapshot.verified);
  keep('unverified-and-young', unverified.filter(youngerThan(policy.unverifiedDays)));
  keep(
    'unverified-and-not-superseded',
    unverified.filter((snapshot) => !superseded(snapshot)),
  );
  keep('locked', past.filter(({ lockedUntil }) => lockedUntil !== undefined && lockedUntil > now)); // prettier-ignore

  return snapshots.toSorted(latestFirst).map((snapshot): Verdict => {
    const because = kept.get(snapshot.id);
    if (because !== undefined) return { action: 'keep', id: snapshot.id, because };
    return { action: 'remove', id: snapshot.id, because: rejection(snapshot) };
  });
}

function rejection(snapshot: StoredSnapshot): RemoveReason {
  if (!snapshot.verified) return 'unverified-and-superseded';
  return isPreChange(snapshot) ? 'pre-change-expired' : 'superseded';
}

/** Taken by hand, before a restore or before a rotation: a way back that a schedule must neither remove nor replace. */
const isPreChange = ({ trigger }: StoredSnapshot): boolean => trigger !== 'scheduled';

/** By the clock. Ids decide between equals, so that the order of the listing never does. */
const latestFirst = (a: StoredSnapshot, b: StoredSnapshot): number =>
  b.takenAt.getTime() - a.takenAt.getTime() || b.revision - a.revision || (a.id < b.id ? 1 : -1);

/** By history: only for snapshots of one lineage, whose revisions count the same thing whatever the clocks said. */
const highestFirst = (a: StoredSnapshot, b: StoredSnapshot): number => b.revision - a.revision || latestFirst(a, b);

const isNewer = (one: StoredSnapshot, other: StoredSnapshot): boolean =>
  one.lineage === other.lineage ? highestFirst(one, other) < 0 : one.takenAt > other.takenAt;

/**
 * The newest by lineage, then revision, then time: the highest revision of the lineage that was seen last. The one that was
 * seen last comes with it, because it is what names the lineage.
 */
function newestOf(snapshots: readonly StoredSnapshot[]): StoredSnapshot[] {
  const [last] = snapshots.toSorted(latestFirst);
  if (last === undefined) return [];
  const [highest = last] = snapshots.filter(({ lineage }) => lineage === last.lineage).sort(highestFirst);
  return [highest, last];
}

/** Those that members were started from, which proves the most; where there is none, those that were read back and compared. */
function bestDrilled(snapshots: readonly StoredSnapshot[]): StoredSnapshot[] {
  const drilled = (kind: Drill['kind']) => snapshots.filter(({ drill }) => drill?.kind === kind);
  const restored = drilled('restored');
  return restored.length > 0 ? restored : drilled('in-function');
}

/** The newest `count`: of the lineage that was seen last by revision, and where it has too few, of all others by time. */
function floorOf(verified: readonly StoredSnapshot[], count: number): StoredSnapshot[] {
  const ordered = verified.toSorted(latestFirst);
  const current = ordered.filter(({ lineage }) => lineage === ordered[0]?.lineage).sort(highestFirst);
  const others = ordered.filter(({ lineage }) => lineage !== ordered[0]?.lineage);
  return [...current, ...others].slice(0, count);
}

function newestOfEachLineage(verified: readonly StoredSnapshot[]): StoredSnapshot[] {
  const heads = new Map<string, StoredSnapshot>();
  for (const snapshot of verified.toSorted(highestFirst)) if (!heads.has(snapshot.lineage)) heads.set(snapshot.lineage, snapshot);
  return [...heads.values()];
}

/** The last snapshot of each of the newest `count` periods that hold one. */
function lastOfEach(snapshots: readonly StoredSnapshot[], period: (time: Date) => string, count: number): StoredSnapshot[] {
  const last = new Map<string, StoredSnapshot>();
  for (const snapshot of snapshots.toSorted(latestFirst)) {
    const name = period(snapshot.takenAt);
    if (!last.has(name)) last.set(name, snapshot);
  }
  return [...last.values()].slice(0, count);
}
