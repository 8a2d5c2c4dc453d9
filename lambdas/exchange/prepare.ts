import type { Refusal } from '../authorities/refusals';
import { LIMITS } from '../authorities/rotation-facts';
import type { Limits, RotationFacts } from '../authorities/rotation-facts';
import type { PlannedRestart } from '../authorities/rotation-plan';
import { AuthorityName } from '../contract/certificate-names';
import { ended, finish } from './tell';
import type { Act, ExchangeState } from '../contract/rotate-authority';
import type { Looks } from './cluster-seen';
import type { ExchangeEdges } from './edges';
import { missingNodes } from './rotation-facts-of';
import type { Documents, Heard } from './rotation-facts-of';

/** A snapshot of the last day: one is taken more often than that, or an alarm is on. */
export const START_LIMITS: Limits = { ...LIMITS, snapshotYoungerThanSeconds: 86_400 };

export type Known = Pick<RotationFacts, 'now' | 'etcd' | 'snapshot' | 'lockedBy' | 'missing'>;

/** What is known before anything begins, beside what nodes and documents say. What is to be minted waits for the lock; a plan says who has it. */
export async function knownOf(
  edges: Pick<ExchangeEdges, 'snapshots' | 'lockedBy' | 'now'>,
  plan: boolean,
  seen: Looks,
  heard: Heard,
): Promise<Known & Pick<Awaited<ReturnType<ExchangeEdges['snapshots']>>, 'kept'>> {
  const [{ newest, kept }, lockedBy] = await Promise.all([edges.snapshots(), plan ? edges.lockedBy() : undefined]);
  const { cluster, etcd } = seen;
  return {
    now: edges.now(),
    etcd: etcd && { voters: etcd.voters, healthy: etcd.healthy, learners: etcd.learners },
    snapshot: newest,
    missing: cluster === undefined ? [] : missingNodes(cluster, heard),
    ...(lockedBy !== undefined && { lockedBy }),
    kept,
  };
}

export async function documentsOf(edges: Pick<ExchangeEdges, 'authority'>): Promise<Documents> {
  const all = await Promise.all(AuthorityName.options.map(async (name) => [name, await edges.authority(name)] as const));
  return Object.fromEntries(all.filter(([, document]) => document !== undefined));
}

/** All reasons why it cannot begin, and what to do for each. */
export const refusedBy = (edges: ExchangeEdges, state: ExchangeState, all: readonly Refusal[]): Promise<Act> =>
  refused(
    edges,
    state,
    all.map(({ because, instead }) => `${because}: ${instead}`).join('; '),
    all.map(({ instead }) => instead),
  );

/** Who starts one sees that it was refused; of one that began by age people are told. */
export async function refused(edges: ExchangeEdges, state: ExchangeState, summary: string, whatToDo: string[] = []): Promise<Act> {
  return state.request?.by === 'age' ? finish(edges, state, 'REFUSED', summary, whatToDo) : ended(state, 'REFUSED', summary, { whatToDo });
}

/** A plan in a line, state by state. */
export const statesText = (states: readonly { readonly state: string; readonly restarts: readonly PlannedRestart[] }[]): string[] =>
  states.map(({ state, restarts }) => {
    const starts = restarts.reduce((sum, { count }) => sum + count, 0);
    return `${state}: ${starts === 0 ? 'no restart' : `${starts} restart(s)`}`;
  });

/** Without what was asked for, it is not begun anew when it is over. */
export const begun = ({ request: _, ...state }: ExchangeState): ExchangeState => state;
