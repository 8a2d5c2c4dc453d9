import { z } from 'zod';
import { FollowedName, followedWords } from '../contract/api-record';
import { causeWords } from '../contract/function-failure';
import { Approval, HandedPlan, NodeEnd, RestoreId, RestoreMode } from '../contract/restore';
import type { DrillVerdict, RestoreOutcome, RestoreReport } from '../contract/restore';
import { nodeStateOf } from '../nodes/node-state';
import type { NodeState } from '../nodes/node-state';
import { drillVerdict } from './drill-verdict';
import { survey } from './node-readiness';

/** How the state machine came to its end. */
export const Ending = z.enum(['restored', 'drilled', 'dry-run', 'unharmed', 'rolled-back']);
export type Ending = z.infer<typeof Ending>;

const Failure = z.object({ Error: z.string(), Cause: z.string() });

/** What the states before have left in the execution; the later ones are missing when it never came that far. */
export const RunbookState = z.object({
  restoreId: RestoreId,
  mode: RestoreMode,
  plan: HandedPlan.optional(),
  approval: Approval,
  promised: z.object({ by: z.number().int(), to: z.number().int(), at: z.iso.datetime() }).optional(),
  request: z.object({ safetySnapshot: z.boolean() }).optional(),
  safety: z.object({ id: z.string().optional(), Error: z.string().optional(), Cause: z.string().optional() }).optional(),
  restored: z.object({ lineage: z.string() }).optional(),
  verified: z.object({ api: z.string().optional(), revision: z.number().int() }).optional(),
  /** What came of asking for the record of the API to follow. */
  name: FollowedName.optional(),
  /** What came of asking for what the data says of the PKI to be healed. */
  healing: z.string().optional(),
  failure: Failure.optional(),
  /** How the last document that changes something ended on each node. */
  ends: z.array(NodeEnd).optional(),
  /** `facts` after a roll-back. */
  after: z.array(NodeEnd).optional(),
  /** Whether the old members serve again. */
  old: z.object({ lineage: z.string() }).optional(),
  oldFailure: Failure.optional(),
});
export type RunbookState = z.infer<typeof RunbookState>;

/** When a state of the execution began and ended. */
export interface Phase {
  readonly state: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
}

type NodeLine = RestoreReport['nodes'][number];

/** What an execution did, as it is told to people. */
export function reportOf(cluster: string, ending: Ending, state: RunbookState, phases: readonly Phase[], now: Date): RestoreReport {
  const { restoreId, mode, plan, approval, promised, restored } = state;
  const nodes = ending === 'rolled-back' || ending === 'drilled' ? nodeLines(state) : [];
  const outcome = outcomeOf(ending, state, nodes);
  const downtimeSeconds = downtimeOf(phases);
  const failure = state.failure && { error: state.failure.Error, because: causeWords(state.failure.Cause) };
  const verdict = mode === 'drill' ? drillVerdict({ outcome, failure }, state.ends ?? []) : undefined;
  return {
    version: 1,
    restoreId,
    cluster,
    mode,
    outcome,
    endedAt: now.toISOString(),
    ...(plan && { snapshot: plan.snapshot.id }),
    ...approval,
    ...(plan?.approved && plan.approved.since.length > 0 && { sinceApproval: plan.approved.since }),
    ...(failure && { failure: { ...lastBefore(phases, 'Rollback'), ...failure } }),
    ...(verdict && { drill: verdict }),
    ...(promised && { bump: { by: promised.by, to: promised.to } }),
    ...(restored && outcome === 'RESTORED' && { newLineage: restored.lineage }),
    ...(state.name && { apiName: followedWords(state.name) }),
    ...(plan && plan.pki.length > 0 && { pki: plan.pki.map(({ of, decision, because }) => ({ of, decision, because })) }),
    ...(state.healing !== undefined && { healing: state.healing }),
    safetySnapshot: safetyWords(state),
    phases: phases.map(({ state: name, startedAt, endedAt }) => ({
      state: name,
      startedAt: startedAt.toISOString(),
      seconds: (endedAt.getTime() - startedAt.getTime()) / 1000,
    })),
    ...(downtimeSeconds !== undefined && { downtimeSeconds }),
    nodes,
    whatToDo: verdict && outcome === 'UNHARMED' ? unharmedDrill(verdict) : whatToDo(outcome, state, nodes, phases),
  };
}

function outcomeOf(ending: Ending, { old }: RunbookState, nodes: readonly NodeLine[]): RestoreOutcome {
  if (ending === 'restored') return 'RESTORED';
  if (ending === 'dry-run') return 'DRY_RUN';
  if (ending === 'unharmed') return 'UNHARMED';
  const putBack = old !== undefined && nodes.length > 0 && nodes.every(({ state, data }) => state === 'serving' && data === 'old');
  if (ending === 'drilled') return putBack ? 'DRILLED' : 'NEEDS_HANDS';
  return putBack ? 'ROLLED_BACK' : 'NEEDS_HANDS';
}

function nodeLines({ restoreId, after = [] }: RunbookState): NodeLine[] {
  const { known, silent } = survey(after);
  const told = known.map(({ instanceId, host, facts }) => {
    // A node of the control plane without etcd has nothing that a restore could change.
    const judged: NodeState =
      facts.etcd.runs === 'absent' && facts.apiserver.definition === 'in-place'
        ? { state: facts.apiserver.running ? 'serving' : 'partly-stopped', data: 'old', because: 'no etcd runs on this node' }
        : nodeStateOf(facts, restoreId);
    return { instanceId, host, state: judged.state, data: 'data' in judged ? judged.data : 'unknown', because: judged.because };
  });
  return [...told, ...silent.map((node) => ({ ...node, state: 'silent', data: 'unknown' }))];
}

function lastBefore(phases: readonly Phase[], name: string): { readonly state?: string } {
  const at = phases.findIndex(({ state }) => state === name);
  const state = phases.at(at === -1 ? -1 : at - 1)?.state;
  return state === undefined ? {} : { state };
}

/** From the first stop to the check that found every member serving. */
function downtimeOf(phases: readonly Phase[]): number | undefined {
  const stopped = phases.find(({ state }) => state === 'StopControlPlane')?.startedAt;
  const served = phases.findLast(({ state }) => state === 'CheckEtcd' || state === 'CheckOldEtcd')?.endedAt;
  return stopped === undefined || served === undefined ? undefined : Math.max(0, (served.getTime() - stopped.getTime()) / 1000);
}

/**
 * Whoever has read restored data from an API server waits for revisions that the old data has not: a watch from there is silent, and no error
 * ends it. One API server that serves for a moment is enough, and what an earlier execution started nobody knows here.
 */
function aheadWords(mode: RestoreMode, phases: readonly Phase[]): string[] {
  const known = phases.some(({ state }) => state === 'StartApiservers');
  if (!known && mode !== 'roll-back') return [];
  return [
    `clients ${known ? '' : 'may '}have seen the restored data: restart kubelet, kube-controller-manager, kube-scheduler and every other client that watches, since their caches are ahead now`,
  ];
}

function safetyWords({ mode, request, safety }: RunbookState): string {
  if (safety?.id !== undefined) return safety.id;
  if (safety?.Error !== undefined) return `none: ${causeWords(safety.Cause ?? safety.Error)}`;
  if (mode !== 'in-place') return 'none: nothing of the cluster was touched';
  return request?.safetySnapshot === false ? 'none: the input asked for none' : 'none: the execution never came that far';
}

/** No machine was touched either way. A drill that never was is not one that failed, and its alarm is another one. */
const unharmedDrill = (verdict: DrillVerdict): string[] => [
  verdict === 'failed'
    ? 'the snapshot did not pass, and no machine was touched: see "Drill failed" in the operator runbook, and drill the one before it'
    : 'no drill was held, and it says nothing of the snapshot: mend what failed and hold one; the alarm no-recent-drill begins when none passes for too long',
];

function followUp(name: RunbookState['name']): string[] {
  if (name === undefined || ('answers' in name && name.answers)) return [];
  return [`the name of the API ${followedWords(name)}; see the article "API name does not answer"`];
}

function whatToDo(
  outcome: RestoreOutcome,
  { restoreId, mode, plan, promised, verified, name, healing, safety, oldFailure }: RunbookState,
  nodes: readonly NodeLine[],
  phases: readonly Phase[],
): string[] {
  if (outcome === 'RESTORED') {
    return [
      'look at what came back: kubectl get nodes, kubectl get pods -A; pods that were made after the snapshot are gone, and kubelets start those that were deleted after it',
      ...(promised?.by === 0
        ? ['revisions ran backwards: restart kubelet, kube-controller-manager, kube-scheduler and every other client of the API']
        : []),
      ...(verified?.api === undefined || verified.api === 'ready' || verified.api.startsWith('the config')
        ? []
        : [`the API by its own name ${verified.api}: see the balancer and the record`]),
      ...followUp(name),
      ...(plan?.pki ?? []).filter(({ decision }) => decision === 'tell').map(({ of, because }) => `PKI, ${of}: ${because}`),
      ...(healing === undefined ? [] : [healing]),
      'when nobody wants the old data any more: it lies beside the data directory of each node, and clean-up removes all but the last two',
    ];
  }
  if (outcome === 'ROLLED_BACK') {
    const first =
      mode === 'roll-back'
        ? 'the cluster serves what it did before'
        : 'the cluster serves what it did before; mend what failed and start again';
    return [first, ...aheadWords(mode, phases)];
  }
  if (outcome === 'UNHARMED') return ['nothing was stopped; mend what failed and start again'];
  if (outcome !== 'NEEDS_HANDS') return [];
  // All of them: a node that is put back already is left alone, and the old members are judged as a whole.
  const again = `start an execution with ${JSON.stringify({ rollBack: restoreId, nodes: nodes.map(({ instanceId }) => instanceId) })}`;
  const lines = nodes.flatMap(({ host, instanceId, state, data, because }) => {
    if (state === 'serving' && data === 'old') return [];
    if (state === 'silent') return [`${host} ${instanceId} does not answer (${because}): start it and its agent, then ${again}`];
    if (state === 'needs-hands') return [`${host} ${instanceId}: ${because}`];
    return [`${host} ${instanceId}: ${because}: ${again}`];
  });
  return [
    ...lines,
    ...(oldFailure === undefined ? [] : [`etcd is not whole: ${causeWords(oldFailure.Cause)}`]),
    ...(safety?.id === undefined ? [] : [`when the old data is lost: restore the snapshot that was taken before, ${safety.id}`]),
  ];
}
