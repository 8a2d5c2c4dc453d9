import { z } from 'zod';
import { causeWords } from '../contract/function-failure';
import { ExchangeState } from '../contract/rotate-authority';
import type { Act } from '../contract/rotate-authority';
import type { ExchangeEdges } from './edges';
import { notHealed } from './heal-objects';
import { begun } from './prepare';
import { ended, halt } from './tell';

export const FailExchange = z.object({
  do: z.literal('fail'),
  state: ExchangeState,
  /** As Step Functions tells it of a state that failed. */
  failure: z.object({ Error: z.string(), Cause: z.string().default('') }),
});

/** Tells people of an exchange that cannot go on since one of its states failed: nobody may be waiting for its execution. */
export async function fail(
  edges: Pick<ExchangeEdges, 'authority' | 'accounts' | 'cluster' | 'write' | 'tell' | 'telemetry' | 'now'>,
  { state, failure: { Error: name, Cause } }: z.infer<typeof FailExchange>,
): Promise<Act> {
  const { authority, rotation, driver } = state;
  const because = [`${name}: ${causeWords(Cause).slice(0, 1_000)}`];
  if (state.heal !== undefined) return notHealed(edges, state, because);
  // What it was taken away from in the middle of a step goes on elsewhere.
  const document = authority === 'service-accounts' ? edges.accounts() : edges.authority(authority);
  const present = await document.then(
    (found) => found?.rotation,
    () => undefined,
  );
  if (present?.id === rotation && present.driver !== undefined && present.driver !== driver)
    return ended(state, 'NOTED', `${present.driver} has taken it up`);
  // The answer of the run that minted it may be lost.
  return halt(edges, present?.id === rotation ? begun(state) : state, authority, because);
}
