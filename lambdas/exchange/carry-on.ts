import type { Act, ExchangeState } from '../contract/rotate-authority';
import type { ExchangeEdges } from './edges';
import { finish } from './tell';

/** One that has joined meanwhile gets what the others have; one that is away is still asked for. @throws the errors of the edges */
export async function withJoined({ registered }: Pick<ExchangeEdges, 'registered'>, state: ExchangeState): Promise<ExchangeState> {
  const joined = (await registered()).filter(({ instanceId }) => !state.asked.some((each) => each.instanceId === instanceId));
  return { ...state, asked: [...state.asked, ...joined.map(({ instanceId, host }) => ({ instanceId, host }))] };
}

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

/** Into another state: what was waited for there is no more. */
export const moved = ({ waiting: _waiting, rotating: _rotating, ...state }: ExchangeState): ExchangeState => state;

/** Whether another execution drives it by now. */
export const isTaken = (
  { rotation }: { readonly rotation?: { readonly driver?: string | undefined } | undefined },
  { driver }: Pick<ExchangeState, 'driver'>,
): boolean => rotation?.driver !== undefined && rotation.driver !== driver;
