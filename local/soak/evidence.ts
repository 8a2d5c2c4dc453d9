import type { ProcessRecord } from '../cloud';
import type { BucketView } from './bucket';
import { growthOf } from './growth';
import type { Growth } from './growth';
import type { History } from './history';
import type { RestoreReport } from './restore-all';
import type { SlotRecord } from './slot';

/** Everything that is known at the end. */
export interface Evidence {
  /** How many scheduled backups were asked for. */
  readonly wanted: number;
  /** Those of the quiet days at the end among them. */
  readonly records: readonly SlotRecord[];
  readonly after: BucketView;
  readonly history: History;
  readonly restores: RestoreReport;
  /** By the clock of the functions. */
  readonly now: Date;
  /** Files that the functions left on their disk. */
  readonly spooled: readonly string[];
  readonly takeSnapshot: readonly ProcessRecord[];
  readonly pruneSnapshots: readonly ProcessRecord[];
}

/** What the last line of the output says. */
export interface SoakFigures {
  readonly seed: number;
  readonly backups: number;
  /** Of every run, repetitions and those by hand among them, by how it ended. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly listed: number;
  readonly restored: number;
  readonly memory: Growth;
  readonly seconds: number;
}

export function figuresOf(evidence: Evidence, seed: number, seconds: number): SoakFigures {
  const { wanted, records, after, restores, takeSnapshot } = evidence;
  return {
    seed,
    backups: scheduled(wanted, records).length,
    outcomes: countBy(runsOf(records).map(({ outcome }) => outcome)),
    faults: countBy(records.flatMap(({ slot }) => [slot.fault, slot.pruneFault].filter((kind) => kind !== undefined))),
    listed: after.manifests.length,
    restored: restores.booted,
    memory: growthOf(takeSnapshot),
    seconds: Math.round(seconds),
  };
}

/** Slots of the schedule, without the quiet days. */
export const scheduled = (wanted: number, records: readonly SlotRecord[]): SlotRecord[] =>
  records.filter(({ slot }) => slot.number <= wanted);

export const runsOf = (records: readonly SlotRecord[]) => records.flatMap(({ tries, byHand }) => (byHand ? [...tries, byHand] : tries));

export function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
