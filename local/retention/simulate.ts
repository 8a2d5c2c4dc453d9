import { planRetention } from '../../lambdas/backup/retention';
import type { KeepReason, StoredSnapshot } from '../../lambdas/backup/retention';
import type { LockPolicy, RetentionPolicy } from '../../lambdas/contract/retention';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export interface SimulationOptions {
  readonly days: number;
  /** Minutes between two scheduled snapshots. */
  readonly everyMinutes: number;
  readonly policy: RetentionPolicy;
  readonly lock: LockPolicy;
  /** The time at the end of the simulation. */
  readonly end: Date;
}

/** The kept snapshots of one reason. */
export interface KeptGroup {
  readonly because: KeepReason;
  readonly count: number;
  readonly newest: Date;
  readonly oldest: Date;
}

export interface Simulation {
  readonly taken: number;
  readonly groups: readonly KeptGroup[];
  /** How many there are after so many days, as storage grows. */
  readonly growth: readonly { readonly day: number; readonly stored: number }[];
}

/** Takes a verified snapshot at every slot of the schedule and prunes every hour, as the deployed functions do. */
export function simulateRetention({ days, everyMinutes, policy, lock, end }: SimulationOptions): Simulation {
  const start = end.getTime() - days * DAY_MS;
  const slots = Math.floor((days * DAY_MS) / (everyMinutes * MINUTE_MS));
  const pruneEvery = Math.max(1, Math.floor(60 / everyMinutes));
  const milestones = new Set([1, 7, 14, 30, 60, 90, 180, 365, 730].filter((day) => day < days).concat(days));
  const growth = new Map<number, number>();
  let stored: StoredSnapshot[] = [];
  for (let slot = 0; slot <= slots; slot++) {
    const now = new Date(start + slot * everyMinutes * MINUTE_MS);
    stored.push(scheduledSnapshot(slot, now, lock));
    if (slot % pruneEvery === 0 || slot === slots) stored = survivors(stored, policy, now);
    const day = (now.getTime() - start) / DAY_MS;
    for (const milestone of milestones) if (day >= milestone && !growth.has(milestone)) growth.set(milestone, stored.length);
  }
  growth.set(days, stored.length);
  return {
    taken: slots + 1,
    groups: groupsOf(stored, policy, end),
    growth: [...growth].map(([day, count]) => ({ day, stored: count })),
  };
}

const scheduledSnapshot = (slot: number, takenAt: Date, lock: LockPolicy): StoredSnapshot => ({
  id: String(slot).padStart(9, '0'),
  lineage: 'simulated',
  revision: slot,
  takenAt,
  trigger: 'scheduled',
  verified: true,
  lockedUntil: new Date(takenAt.getTime() + lock.days * DAY_MS),
});

/** What a policy leaves of these. */
export function survivors(stored: readonly StoredSnapshot[], policy: RetentionPolicy, now: Date): StoredSnapshot[] {
  const kept = new Set(planRetention(stored, policy, now).flatMap(({ action, id }) => (action === 'keep' ? [id] : [])));
  return stored.filter(({ id }) => kept.has(id));
}

/** In the order in which the reasons first occur, newest first. */
function groupsOf(stored: readonly StoredSnapshot[], policy: RetentionPolicy, now: Date): KeptGroup[] {
  const times = new Map(stored.map(({ id, takenAt }) => [id, takenAt]));
  const groups = new Map<KeepReason, KeptGroup>();
  for (const verdict of planRetention(stored, policy, now)) {
    const takenAt = times.get(verdict.id);
    if (verdict.action !== 'keep' || takenAt === undefined) continue;
    const { newest = takenAt, count = 0 } = groups.get(verdict.because) ?? {};
    groups.set(verdict.because, { because: verdict.because, count: count + 1, newest, oldest: takenAt });
  }
  return [...groups.values()];
}

/** Minutes between two slots of a `rate(…)`; undefined for a `cron(…)`, whose slots need not be equally far apart. */
export function minutesOfRate(schedule: string): number | undefined {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(schedule) ?? [];
  if (count === undefined) return undefined;
  return Number(count) * { minute: 1, hour: 60, day: 1440 }[unit as 'minute' | 'hour' | 'day'];
}
