import type { AccountsRotation, AuthorityRotation } from '../contract/authority-rotation';
import type { Exchangeable } from '../contract/certificate-names';
import { goOn } from '../contract/rotate-authority';
import type { Act, ExchangeState } from '../contract/rotate-authority';
import type { ExchangeEdges } from './edges';
import { askPeople, finish, halt } from './tell';

/** A Wait of a quarter of an hour, so that a week of it stays far below the 25,000 events that a history may have. */
const LONGEST_WAIT_SECONDS = 900;
/** Between two looks at gates that are shut. */
export const LOOK_SECONDS = 15;
/** So long a gate may stay shut that only work can open, before somebody is called. */
const SHUT_SECONDS = 3_600;
/** So long somebody is waited for who approves. */
const APPROVAL_SECONDS = 14 * 86_400;

const isTime = (because: string): boolean => /^(it is to wait|clients renew by themselves) until \d/.test(because);
/** A kubelet of which nobody tells is seen to by whoever approves, and so is a token that never ends. */
const isApproval = (because: string): boolean =>
  /^(nobody approved|the kubelet of \S+, whose certificate nobody told of,|the legacy token \S+)/.test(because);

type Waiting = AuthorityRotation | AccountsRotation;

/** What keeps a gate shut: work that is not done, time, or a person. */
export const kindOf = (because: readonly string[]): 'work' | 'time' | 'approval' =>
  because.every((each) => isTime(each) || isApproval(each)) ? (because.some(isTime) ? 'time' : 'approval') : 'work';

/**
 * Seconds for which nobody has to be asked anything: everything else was proven in this state, and only time or a person is missing.
 *
 * Undefined where there is something to look at.
 *
 * @param until when the time of the present state is over
 */
export function patience(now: Date, { waiting }: ExchangeState, until: Date, rotation: Waiting): number | undefined {
  const kind = waiting && kindOf(waiting.because);
  if (waiting === undefined || kind === 'work' || waiting.forWhat !== `${gatesOf(rotation)} (${kind})`) return undefined;
  const left = Math.ceil((until.getTime() - now.getTime()) / 1_000);
  if (left > 0) return Math.min(LONGEST_WAIT_SECONDS, left);
  // Who is to approve is asked for it once the time is over, after another look.
  if (rotation.approvedBy !== undefined || rotation.abortRequested !== undefined || kind !== 'approval') return undefined;
  const since = now.getTime() / 1_000 - waiting.since;
  if (since > APPROVAL_SECONDS) return undefined;
  return since < 3_600 ? 60 : LONGEST_WAIT_SECONDS;
}

/** What is waited for in a state. */
export const gatesOf = ({ state, abortRequested }: Pick<Waiting, 'state' | 'abortRequested'>): string =>
  `gates of ${state}${abortRequested === undefined ? '' : ', on the way back'}`;

interface Waited {
  readonly what: string;
  readonly because: readonly string[];
}

/** Waits for the same only so long; then somebody is called, and everything stays as it is. */
export async function waitFor(
  edges: ExchangeEdges,
  state: ExchangeState,
  authority: Exchangeable,
  { what, because }: Waited,
  act: 'look' | 'step',
  seconds: number,
): Promise<Act> {
  const now = Math.floor(edges.now().getTime() / 1_000);
  const kind = kindOf(because);
  const forWhat = `${what} (${kind})`;
  const first = state.waiting?.forWhat !== forWhat;
  const waiting = { forWhat, since: first ? now : (state.waiting?.since ?? now), because: because.slice(0, 20) };
  const waited = { ...state, waiting };
  if (first) edges.telemetry.log('exchange-waits', { authority, rotation: state.rotation, ...waiting });
  const since = now - waiting.since;
  if (kind === 'work' && since > SHUT_SECONDS) return halt(edges, waited, authority, because);
  if (kind === 'approval' && first) await askPeople(edges, state, authority, because);
  if (kind === 'approval' && since > APPROVAL_SECONDS)
    return finish(edges, waited, 'AWAITS_APPROVAL', 'nobody approved, and this execution waits no longer');
  return goOn(act, seconds, waited);
}
