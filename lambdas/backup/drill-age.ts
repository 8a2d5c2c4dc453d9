import type { StoredSnapshot } from './retention';

/**
 * Seconds since a drill last passed. Where none ever did, since the oldest verified snapshot was taken: from then on there was one to drill.
 * 0 without any, which other alarms tell of.
 */
export function drillAgeSeconds(snapshots: readonly StoredSnapshot[], now: Date): number {
  const drilled = snapshots.flatMap(({ drill }) => (drill === undefined ? [] : [drill.passedAt.getTime()]));
  const verified = snapshots.filter((snapshot) => snapshot.verified).map(({ takenAt }) => takenAt.getTime());
  const since = drilled.length > 0 ? Math.max(...drilled) : Math.min(...verified, now.getTime());
  return Math.max(0, Math.round((now.getTime() - since) / 1000));
}
