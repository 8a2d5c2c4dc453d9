import type { Phase } from './report';

/** The states of the runbook that people know, in their order; what lies inside them is not told. */
export const PHASES = [
  'FindNodes',
  'Facts',
  'Plan',
  'Approve',
  'Lock',
  'FindNodesAgain',
  'FactsAgain',
  'PlanAgain',
  'SafetySnapshot',
  'Materialize',
  'Stage',
  'PromiseRevisions',
  'PrepareData',
  'StopControlPlane',
  'StopEtcd',
  'RestoreData',
  'StartEtcd',
  'CheckEtcd',
  'Repair',
  'StartApiservers',
  'Verify',
  'FollowName',
  'Rollback',
  'FactsAfter',
  'CheckOldEtcd',
] as const;

/** One entry of an execution's history, as far as it tells of states. */
export interface HistoryEntry {
  readonly at: Date;
  readonly kind: 'entered' | 'exited';
  readonly state: string;
}

/**
 * When each state began and ended, in the order in which they began. One that failed has no end of its own: it ended when the next one began.
 */
export function phasesOf(history: readonly HistoryEntry[], now: Date): Phase[] {
  const known = new Set<string>(PHASES);
  const entries = history.filter(({ state }) => known.has(state));
  const began = entries.filter(({ kind }) => kind === 'entered');
  const first = new Map(began.map(({ state }) => [state, began.find((entry) => entry.state === state)?.at ?? now]));
  return [...first].map(([state, startedAt]) => {
    const exited = entries.findLast((entry) => entry.state === state && entry.kind === 'exited')?.at;
    const next = began.find(
      (entry) => entry.state !== state && entry.at.getTime() >= startedAt.getTime() && indexOf(began, entry) > lastIndexOf(began, state),
    )?.at;
    return { state, startedAt, endedAt: exited ?? next ?? now };
  });
}

const indexOf = (entries: readonly HistoryEntry[], entry: HistoryEntry): number => entries.indexOf(entry);
const lastIndexOf = (entries: readonly HistoryEntry[], state: string): number => entries.findLastIndex((entry) => entry.state === state);
