import type { WriteRate } from '../contract/ledger';

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

/** How long the ledger may go without being written while a poll has nothing new to tell. */
export const REFRESH_MS = 5 * MINUTE_MS;

/** Polls closer together than this measure nothing: a busy minute, cut into small pieces, would look like a quiet one. */
const SHORTEST_MS = 45_000;

/** A poll that reached a member which knows a leader. */
export interface RatePoint {
  readonly at: Date;
  readonly revision: number;
}

/** Revisions per minute since the last measuring poll; undefined when there is none to compare with. */
export function perMinute(rate: WriteRate | undefined, { at, revision }: RatePoint): number | undefined {
  if (rate === undefined || revision < rate.revision) return undefined;
  const gap = gapOf(rate, at);
  return gap < SHORTEST_MS ? undefined : Math.round(((revision - rate.revision) * MINUTE_MS) / gap);
}

/**
 * The rate after one more poll. Where the clock was set back, measuring starts from this poll; the peak stays.
 *
 * The peak is the most that one minute can have held: of a gap, up to `REFRESH_MS` may have been polls that saw nothing new and wrote nothing.
 */
export function measure(rate: WriteRate | undefined, point: RatePoint): WriteRate {
  const { revision } = point;
  const at = point.at.toISOString();
  if (rate === undefined) return { at, revision };
  const gap = gapOf(rate, point.at);
  if (gap < -REFRESH_MS) return { ...rate, at, revision };
  const recent = perMinute(rate, point);
  if (recent === undefined) return rate;
  const busyMs = Math.max(Math.min(gap, MINUTE_MS), gap - REFRESH_MS);
  const peak = Math.max(rate.peak ?? 0, Math.ceil(((revision - rate.revision) * MINUTE_MS) / busyMs));
  return { ...rate, at, revision, recent, peak };
}

const gapOf = (rate: WriteRate, at: Date): number => at.getTime() - Date.parse(rate.at);
