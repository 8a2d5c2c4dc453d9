import { z } from 'zod';
import { compareWithRecorded } from '../authorities/derive-state';
import { dropCross } from '../authorities/drop-cross';
import { mayLeave, mayReturn } from '../authorities/gates';
import type { FaultKind } from '../authorities/faults';
import type { GateVerdict } from '../authorities/gates';
import { noteNamed } from '../authorities/approval';
import { abortTo, advanceTo, close } from '../authorities/generations';
import type { Observation } from '../authorities/observation';
import { refusedToApprove } from '../authorities/rejections';
import { goesBackAtOnce, returnGatesOf } from '../authorities/return-gates';
import { stateAfter, stateBefore } from '../authorities/rotation-path';
import { servedCross } from '../authorities/trust';
import { heardNodes } from '../certificates/hear-nodes';
import type { AuthorityRotation } from '../contract/authority-rotation';
import type { AuthoritySecret } from '../contract/certificates';
import { ExchangeState, goOn, silentEvents } from '../contract/rotate-authority';
import type { Act } from '../contract/rotate-authority';
import { distribute } from './distribute';
import type { ExchangeEdges } from './edges';
import { heal } from './heal';
import { healObjects } from './heal-objects';
import { begun } from './prepare';
import { look } from './look';
import { observe, soakUntil } from './observe';
import { start } from './start';
import { notesOf } from './notes';
import { halt } from './tell';
import { isTaken, moved, over, overWithout, waitForSet, withJoined, withoutWork } from './carry-on';
import { stepAccounts } from './step-accounts';
import { LOOK_SECONDS, SELDOM_SECONDS, gatesOf, waitFor } from './waiting';

export const StepExchange = z.object({ do: z.literal('step'), state: ExchangeState });

/** One step of an exchange: whatever is next, by what is noted and what is seen. It can be repeated. @throws the errors of the edges */
export async function step(edges: ExchangeEdges, asked: ExchangeState): Promise<Act> {
  if (asked.heal !== undefined) return healObjects(edges, asked);
  if (asked.authority === 'service-accounts') return stepAccounts(edges, asked);
  const { authority } = asked;
  const [document, joined] = await Promise.all([edges.authority(authority), withJoined(edges, asked)]);
  const { rotation } = document ?? {};
  if (document === undefined || rotation?.id !== asked.rotation) {
    const { state } = joined;
    // A run before this one may have died before it told so, and before it took the key away.
    if (document?.generations.some(({ mintedFor }) => mintedFor === state.rotation))
      return over(edges, state, 'EXCHANGED', `the ${state.authority} authority was exchanged`);
    return state.request === undefined ? overWithout(edges, state, document) : start(edges, { ...state, authority });
  }
  // The answer of the run that minted it may be lost.
  const state = begun(joined.state);
  const act = await withoutWork(edges, { ...joined, state }, rotation, soakUntil(document.authority, rotation));
  if (act !== undefined) return act;
  // What is to be undone is not done first: a node may be away because of it.
  const rotating = goesBackAtOnce(rotation) ? undefined : await distribute(edges, document, state);
  if (rotating !== undefined) return waitForSet(edges, { ...joined, state }, rotation, rotating);
  if (state.facts === undefined) return goOn('look', 0, state);
  return judge(edges, state, document, rotation);
}

async function judge(edges: ExchangeEdges, state: ExchangeState, document: AuthoritySecret, rotation: AuthorityRotation): Promise<Act> {
  const { told } = await heardNodes(state.facts ?? []);
  const silent = state.asked.filter(({ host }) => !told.some((node) => node.host === host));
  const seen = await look(edges, told, document.authority, state.asked, document);
  const before = rotation.before ?? {};
  const events = state.events + silentEvents(silent.length, state);
  const { approval, state: at, mode } = rotation;
  const observation = observe(document, rotation, before, { told, silent }, seen, edges.now());
  const notes = notesOf(state.notes, seen.unclear, observation, rotation);
  const kept = { ...state, events, ...(notes.length > 0 && { notes }), ...(approval && { approval }) };
  for (const note of notes) if (!state.notes?.includes(note)) edges.telemetry.warn('exchange-note', { note });
  const back = rotation.abortRequested !== undefined;
  const verdict = verdictOn(observation, document, rotation);
  const now = { rotation: rotation.id, now: edges.now() };
  if (!verdict.open) {
    const { because, kind } = verdict;
    const open = (observation.hidden ?? []).filter(({ approvable }) => approvable);
    const named = [
      ...open.map(({ place }) => place),
      ...refusedToApprove(observation, at),
      ...(seen.unclear === undefined ? [] : [seen.unclear]),
    ];
    const waited = { what: gatesOf(rotation), because, kind, named, again: rotation.approvedBy !== undefined };
    // Before anybody is asked: what he says is about that.
    if (kind === 'approval') await edges.change(document.authority, (each) => (isTaken(each, state) ? each : noteNamed(each, named, now)));
    if (kind !== 'work') return waitFor(edges, kept, document.authority, waited, 'step', pauseOf(kind, rotation));
    const { healed, hopeless } = await heal(edges, document, told, state.healed);
    if (hopeless.length > 0) return halt(edges, kept, document.authority, hopeless);
    return waitFor(edges, { ...kept, healed }, document.authority, waited, 'look', LOOK_SECONDS);
  }
  edges.telemetry.log('gates-open', { authority: document.authority, rotation: rotation.id, state: at, evidence: verdict.evidence });
  if (back) {
    const to = stateBefore(mode, at);
    if (to === undefined) return halt(edges, kept, document.authority, [`there is no way back from ${at} in mode ${mode}`]);
    const after = await edges.change(document.authority, (each) => (isTaken(each, state) ? each : abortTo(each, to, now)));
    return to === 'STEADY' && after.rotation === undefined
      ? over(edges, kept, 'TURNED_BACK', `the ${document.authority} authority is as before`)
      : goOn('step', 0, moved(kept));
  }
  const to = stateAfter(mode, at);
  const after = await edges.change(document.authority, (each) => {
    // Somebody asked to turn back while everything was looked at, or took it up.
    if (isTaken(each, state) || (each.rotation?.id === rotation.id && each.rotation.abortRequested !== undefined)) return each;
    if (to !== undefined) return advanceTo(each, to, now);
    return servedCross(document) === undefined ? close(each, now) : dropCross(each, now);
  });
  if (after.rotation?.abortRequested !== undefined) return goOn('step', 0, moved(kept));
  return to === undefined && after.rotation === undefined
    ? over(
        edges,
        kept,
        'EXCHANGED',
        `the ${document.authority} authority is ${observation.rotation.next.name}, and ${observation.rotation.old.name} is distrusted`,
      )
    : goOn('step', 0, moved(kept));
}

/** Who was approved already waits for people again where clients are refused, and looks whether they still are. */
const pauseOf = (kind: FaultKind, { approvedBy }: Pick<AuthorityRotation, 'approvedBy'>): number =>
  kind === 'approval' && approvedBy !== undefined ? SELDOM_SECONDS : LOOK_SECONDS;

/** What ports show must be what is recorded, too: somebody else may have changed it, or a node came back from an old disk. */
function verdictOn(observation: Observation, document: AuthoritySecret, rotation: AuthorityRotation): GateVerdict {
  const { state, abortRequested } = rotation;
  const verdict = abortRequested === undefined ? mayLeave(state, observation) : mayReturn(state, observation, returnGatesOf(rotation));
  if (goesBackAtOnce(rotation)) return verdict;
  const compared = compareWithRecorded(observation, document);
  if (compared.verdict === 'agree') return verdict;
  return { open: false, because: [...(verdict.open ? [] : verdict.because), ...compared.because], kind: 'work' };
}
