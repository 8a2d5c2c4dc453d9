import Table from 'cli-table3';
import type { KeepReason } from '../../lambdas/backup/retention';
import type { LockPolicy, RetentionPolicy } from '../../lambdas/contract/retention';
import type { Simulation } from './simulate';

const HOUR_MS = 3_600_000;

/** Why a snapshot is kept, for people. */
export const KEPT_BECAUSE: Readonly<Record<KeepReason, string>> = {
  'from-the-future': 'taken in the future',
  'newest-verified': 'the newest verified one',
  'newest-drilled': 'the newest that passed a drill',
  'newest-of-any-kind': 'the newest of any kind',
  floor: 'the floor, whatever its age',
  hourly: 'last of its hour',
  daily: 'last of its day',
  weekly: 'last of its week',
  monthly: 'last of its month',
  yearly: 'last of its year',
  'newest-of-lineage': 'newest before a restore',
  'pre-change': 'by hand or before a change',
  'unverified-and-young': 'unverified, still young',
  'unverified-and-not-superseded': 'unverified, nothing newer',
  locked: 'locked by S3, goes after',
};

/** What there will be and why, for a person who decides on a policy. */
export function simulationText(simulation: Simulation, policy: RetentionPolicy, lock: LockPolicy, days: number, end: Date): string {
  const kept = new Table({
    head: ['snapshots', 'kept because it is', 'newest', 'oldest', 'reaches back'],
    style: { head: [], border: [] },
  });
  for (const { because, count, newest, oldest } of simulation.groups) {
    kept.push([
      { hAlign: 'right', content: count },
      KEPT_BECAUSE[because],
      minute(newest),
      minute(oldest),
      age(end.getTime() - oldest.getTime()),
    ]);
  }
  const growth = new Table({ head: ['after', 'snapshots stored'], style: { head: [], border: [] } });
  for (const { day, stored } of simulation.growth) growth.push([`${day} d`, { hAlign: 'right', content: stored }]);
  const total = simulation.groups.reduce((sum, { count }) => sum + count, 0);
  return [
    `Policy   ${Object.entries(policy).map(([name, value]) => `${name} ${value}`).join(', ')}`, // prettier-ignore
    `Lock     ${lock.mode}, ${lock.days} days`,
    `Taken    ${simulation.taken} snapshots in ${days} days, all verified; ${total} are left at the end`,
    '',
    kept.toString(),
    '',
    growth.toString(),
    '',
    'Times are UTC. Each snapshot is counted once, by the first reason that keeps it.',
  ].join('\n');
}

const minute = (time: Date): string => time.toISOString().slice(0, 16).replace('T', ' ');
const age = (ms: number): string => (ms < 48 * HOUR_MS ? `${Math.round(ms / HOUR_MS)} h` : `${Math.round(ms / (24 * HOUR_MS))} d`);
