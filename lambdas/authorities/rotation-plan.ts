import type { RotationState } from '../contract/authority-rotation';
import { GATES, gatesIn } from './gate-names';
import { durationOf, refusalsOf } from './refusals';
import type { Refusal } from './refusals';
import { restartsOn, startedIn } from './restarts';
import type { Component } from './restarts';
import { LIMITS, waitIn } from './rotation-facts';
import type { Limits, RotationFacts, RotationRequest } from './rotation-facts';
import { pathOf } from './rotation-path';
import { doneIn, wayBackFrom } from './state-texts';

export interface PlannedRestart {
  readonly node: string;
  readonly component: Component;
  readonly count: number;
  readonly because: string;
}

export interface PlannedState<State = RotationState> {
  readonly state: State;
  readonly does: readonly string[];
  /** In their order: one node after the other. */
  readonly restarts: readonly PlannedRestart[];
  /** What is proven before the next state. */
  readonly gates: readonly string[];
  /** Seconds, beside the work. */
  readonly waits: number;
  readonly wayBack: string;
}

export type RotationPlan =
  | {
      readonly decision: 'rotate';
      readonly states: readonly PlannedState[];
      /** The control-plane node that distrusts first. */
      readonly canary: string;
      /** What clients will notice; undefined for nothing. */
      readonly downtime: string | undefined;
      /** The whole at most, seconds. */
      readonly seconds: number;
    }
  | ({ readonly decision: 'refuse'; readonly all: readonly Refusal[] } & Refusal);

/**
 * What a rotation would do state by state, or all reasons why it cannot begin; the first of them is to be mended first.
 *
 * The same answers when it is asked for a rotation that is under way: its own id is no obstacle.
 *
 * @throws CertificateUnreadable, BundleDamaged when the secret holds what is no certificate
 */
export function planRotation(facts: RotationFacts, request: RotationRequest, limits: Limits = LIMITS): RotationPlan {
  const planes = facts.nodes.filter(({ role }) => role === 'control-plane').map(({ name }) => name);
  const all = [...refusalsOf({ facts, request, limits }), ...canaryRefusal(request, planes)];
  const [first] = all;
  if (first !== undefined) return { decision: 'refuse', ...first, all };
  const canary = request.canary ?? [...planes].sort()[0] ?? '';
  const states = pathOf(request.mode).map((state) => planState(state, facts, request, { canary, limits }));
  return { decision: 'rotate', states, canary, downtime: downtimeOf(facts, request), seconds: durationOf({ facts, request, limits }) };
}

const canaryRefusal = ({ canary }: RotationRequest, planes: readonly string[]): readonly Refusal[] =>
  canary === undefined || planes.includes(canary)
    ? []
    : [{ because: `${canary} is to distrust first, and is no control-plane node`, instead: `name one of ${planes.join(', ')}` }];

function planState(
  state: RotationState,
  { nodes }: RotationFacts,
  request: RotationRequest,
  { canary, limits }: { readonly canary: string; readonly limits: Limits },
): PlannedState {
  const { authority, mode } = request;
  const started = startedIn(authority, mode, state);
  // Nobody is started on a worker: the lifeboat reaches none.
  const planes = nodes.filter(({ role }) => role === 'control-plane');
  const restarts = planes.flatMap(({ name, runs }) => {
    const all = restartsOn(started, name === canary).filter(({ component }) => runs.includes(component));
    return all
      .filter((one, at) => all.findIndex(({ component }) => component === one.component) === at)
      .map(({ component, because }) => ({
        node: name,
        component,
        count: all.filter((each) => each.component === component).length,
        because,
      }));
  });
  return {
    state,
    does: doneIn(state, authority, mode),
    restarts,
    gates: gatesIn(state, authority, mode, mode === 'planned').map((gate) => GATES[gate]),
    waits: waitIn(state, request, limits),
    wayBack: wayBackFrom(state, authority, mode),
  };
}

/**
 * With several control-plane nodes 3 of 7,061 requests were slow while apiserver and etcd restarted node by node, none failed that was tried again.
 */
function downtimeOf({ nodes }: RotationFacts, { authority, mode }: RotationRequest): string | undefined {
  const alone = nodes.filter(({ role }) => role === 'control-plane').length < 2;
  const parts = [
    ...(alone && (authority === 'etcd' || mode === 'compromise')
      ? ['the API is away while the apiserver of the only control-plane node restarts, with etcd for about a minute']
      : []),
    ...(mode === 'compromise' && authority === 'cluster'
      ? [
          'pods and people that know the old root alone are refused until they are given the new one; every credential by the old root ends; pods that talk to the API have to be started anew',
        ]
      : []),
    ...(mode === 'compromise' && authority !== 'cluster' ? ['requests that are open while an apiserver restarts are cut off'] : []),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}
