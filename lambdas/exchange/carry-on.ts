import type { AccountsRotation, AuthorityRotation } from '../contract/authority-rotation';
import { goOn } from '../contract/rotate-authority';
import type { Act, ExchangeState } from '../contract/rotate-authority';
import type { AuthoritySecret, ServiceAccountsSecret } from '../contract/certificates';
import { StoreFailed } from '../aws/errors';
import type { ExchangeEdges } from './edges';
import { handOver, isLong } from './hand-over';
import { ended, finish, nameOf } from './tell';
import { patience, waitFor } from './waiting';

type UnderWay = AuthorityRotation | AccountsRotation;

export interface Joined {
  readonly state: ExchangeState;
  /** Hosts of which Systems Manager has not heard for minutes, or does not know any more. */
  readonly away: readonly string[];
  /** Hosts that have joined since it was last asked. */
  readonly came: readonly string[];
}

/** One that has joined meanwhile gets what the others have; one that is away is still asked for. @throws the errors of the edges */
export async function withJoined({ registered }: Pick<ExchangeEdges, 'registered'>, state: ExchangeState): Promise<Joined> {
  const present = await registered();
  const joined = present.filter(({ instanceId }) => !state.asked.some((each) => each.instanceId === instanceId));
  const asked = [...state.asked, ...joined.map(({ instanceId, host }) => ({ instanceId, host }))];
  const away = asked.filter((each) => !present.some(({ instanceId, online }) => online && instanceId === each.instanceId));
  return { state: { ...state, asked }, away: away.map(({ host }) => host), came: joined.map(({ host }) => host) };
}

/**
 * What comes before any work in a state: one that another execution has taken up is left to it, one with a long history goes on in another one, and
 * nobody is asked anything while only time or a person is missing, and no node has joined. Undefined where there is something to do.
 *
 * @param until when the time of the present state is over
 * @throws the error of starting another execution
 */
export async function withoutWork(
  edges: ExchangeEdges,
  { state, came }: Joined,
  rotation: UnderWay,
  until: Date,
): Promise<Act | undefined> {
  if (isTaken({ rotation }, state)) return ended(state, 'NOTED', `${rotation.driver ?? ''} has taken it up`);
  if (isLong(state)) return handOver(edges, state);
  const patient = state.facts === undefined && came.length === 0 ? patience(edges.now(), state, until, rotation) : undefined;
  return patient === undefined ? undefined : goOn('step', patient, state);
}

/** Waits for the node whose set is being rotated. Nobody is asked meanwhile, so that who is away is named with it. */
export function waitForSet(
  edges: ExchangeEdges,
  { state, away }: Joined,
  { state: at }: Pick<UnderWay, 'state'>,
  rotating: NonNullable<ExchangeState['rotating']>,
): Promise<Act> {
  const { host, because } = rotating;
  const waited = {
    what: `the set of ${host} in ${at}`,
    because: [
      `${host} does not have what ${at} gives it yet${because === undefined ? '' : `: ${because}`}`,
      ...away.map((each) => `Systems Manager does not hear of ${each}: start its agent, or take it out of the cluster`),
    ],
  };
  return waitFor(edges, { ...state, rotating }, state.authority, waited, 'step', SET_SECONDS);
}

/** Between two looks at whether a node has its set, at first. */
const SET_SECONDS = 5;

/** Ends one of which nothing is left to do: the value before, with the key that goes, is taken away. */
export async function over(
  edges: ExchangeEdges,
  state: ExchangeState,
  outcome: 'EXCHANGED' | 'TURNED_BACK',
  summary: string,
): Promise<Act> {
  await edges.forgetFormer(state.authority);
  return finish(edges, state, outcome, summary);
}

/**
 * Ends one of which the secret knows nothing any more: it was turned back, and is not begun anew.
 *
 * @throws StoreFailed where nobody says so: right after it was minted the secret may still be read as it was before
 */
export async function overWithout(
  edges: ExchangeEdges,
  state: ExchangeState,
  document: AuthoritySecret | ServiceAccountsSecret | undefined,
): Promise<Act> {
  if (document?.turnedBack?.rotation === state.rotation || document?.rotation !== undefined)
    return over(edges, state, 'TURNED_BACK', 'nothing of it is left');
  throw new StoreFailed(
    `the secret of ${nameOf(state.authority)} does not tell of ${state.rotation}, nor that it was turned back: it is read once more, and if that stays so, look at its value`,
  );
}

/** Into another state: what was waited for there is no more. */
export const moved = ({ waiting: _waiting, rotating: _rotating, ...state }: ExchangeState): ExchangeState => state;

/** Whether another execution drives it by now. */
export const isTaken = (
  { rotation }: { readonly rotation?: { readonly driver?: string | undefined } | undefined },
  { driver }: Pick<ExchangeState, 'driver'>,
): boolean => rotation?.driver !== undefined && rotation.driver !== driver;
