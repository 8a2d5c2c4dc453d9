// Leads the model of a cluster through a sequence of acts, and then to the end of its rotation.
import { pass } from './cluster-model';
import { work } from './node-work';
import { abort, comeBack, give, happen } from './rotation-acts';
import type { Act } from './rotation-acts';
import { faultIn, move, verdictOf } from './rotation-judge';
import { SOAK_SECONDS, observe } from './rotation-observation';
import { begin, endOf, stateOf } from './rotation-run';
import type { End, Run, Setting } from './rotation-run';

/** Where the acts led, whether it came to its end afterwards, and what was wrong first. */
export interface Outcome {
  readonly end: End;
  readonly fault: string | undefined;
}

/** @param afterwards how it is brought to its end when the acts are over. @default - it is not */
export function run(setting: Setting, sequence: readonly Act[], afterwards?: 'forward' | 'back'): Outcome {
  const state = begin(setting);
  for (const [at, act] of sequence.entries()) {
    happen(state, act);
    const fault = later(state, 1 + (act.pick % 7));
    if (fault !== undefined) return { end: endOf(state), fault: `${fault} after ${act.event} (${at + 1}. act), in ${stateOf(state)}` };
  }
  const end = endOf(state);
  return { end, fault: afterwards && bringToItsEnd(state, afterwards) };
}

function later(state: Run, seconds: number): string | undefined {
  pass(state.world, seconds);
  for (const ghost of state.world.clients.filter(({ kind }) => kind === 'ghost'))
    if (state.world.now - ghost.takenAt > SOAK_SECONDS / 1.2) give(state, ghost);
  return faultIn(state);
}

/** With all nodes there and all work done it must come to an end: forward, or at least back. */
function bringToItsEnd(state: Run, direction: 'forward' | 'back'): string | undefined {
  const { world } = state;
  for (const node of world.nodes) comeBack(state, node);
  const { rotation } = state.document;
  const canaryLeft = rotation?.mode === 'planned' && world.nodes.every(({ name }) => name !== state.canary);
  if (direction === 'back' || canaryLeft) abort(state);
  for (let round = 0; round < 30 && state.document.rotation !== undefined; round++) {
    for (const node of world.nodes) work(state, node);
    const published = later(state, SOAK_SECONDS);
    for (const client of world.clients) give(state, client);
    const fault = published ?? later(state, SOAK_SECONDS);
    if (fault !== undefined) return `${fault} in ${stateOf(state)}, while it goes ${direction}`;
    move(state);
  }
  if (state.document.rotation === undefined) return undefined;
  const verdict = verdictOf(state, observe(state));
  return `nothing leads out of ${stateOf(state)} ${direction}: ${verdict.open ? 'it goes round' : verdict.because.join('; ')}`;
}
