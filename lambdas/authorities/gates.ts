import type { RotationState } from '../contract/authority-rotation';
import { CHECKS } from './gate-checks';
import { kindOf, textOf } from './faults';
import type { FaultKind, Faults } from './faults';
import { GATES, gatesIn } from './gate-names';
import type { GateName } from './gate-names';
import type { Observation } from './observation';
import { RETURN_CHECKS, RETURN_GATES, returnGatesIn } from './return-gates';

/** Whether a state may be left: with what was proven, or with everything that was not, and with what is waited for. */
export type GateVerdict =
  | { readonly open: true; readonly evidence: readonly string[] }
  | { readonly open: false; readonly because: readonly string[]; readonly kind: FaultKind };

/**
 * Whether a rotation may go on from a state. What was not observed is never fine.
 *
 * @param names the gates. @default - all of the state
 */
export function mayLeave(
  state: RotationState,
  observation: Observation,
  names: readonly GateName[] = gatesOf(state, observation.rotation),
): GateVerdict {
  return verdictOf(names.map((name) => ({ what: GATES[name], faults: CHECKS[name](observation, state) })));
}

const gatesOf = (state: RotationState, { authority, mode, crossDropped }: Observation['rotation']): readonly GateName[] =>
  gatesIn(state, authority, mode, crossDropped);

/** Whether an aborted rotation may go back from a state. @param names the gates. @default - all that the state may have */
export function mayReturn(state: RotationState, observation: Observation, names = returnGatesIn(state)): GateVerdict {
  return verdictOf(names.map((name) => ({ what: RETURN_GATES[name], faults: RETURN_CHECKS[name](observation, state) })));
}

/** Open when nothing at all is told against it. */
export function verdictOf(judged: readonly { readonly what: string; readonly faults: Faults }[]): GateVerdict {
  const all = judged.flatMap(({ faults }) => faults);
  if (all.length === 0) return { open: true, evidence: judged.map(({ what }) => what) };
  return { open: false, because: all.map(textOf), kind: kindOf(all) };
}
