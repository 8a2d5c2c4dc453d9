import { accountsGoBackAtOnce, accountsSoakUntil, accountsStateAfter, accountsStateBefore } from '../accounts/accounts-path';
import { accountsMayLeave } from '../accounts/gates';
import { refusedTokens } from '../accounts/observation';
import { advancePair, closePair, returnPair } from '../accounts/key-generations';
import { accountKeysOf } from '../accounts/verifying';
import { heardNodes } from '../certificates/hear-nodes';
import type { AccountsRotation } from '../contract/authority-rotation';
import type { ServiceAccountsSecret } from '../contract/certificates';
import { goOn, silentEvents } from '../contract/rotate-authority';
import type { Act, ExchangeState } from '../contract/rotate-authority';
import { isTaken, moved, over, overWithout, waitForSet, withJoined, withoutWork } from './carry-on';
import { bring } from './distribute';
import type { ExchangeEdges } from './edges';
import { look } from './look';
import { begun } from './prepare';
import { observeAccounts } from './observe-accounts';
import { lookAtKeys, startAccounts } from './start-accounts';
import { halt } from './tell';
import { LOOK_SECONDS, gatesOf, waitFor } from './waiting';

/** One step of an exchange of the key pair of service accounts, by what is noted and what is seen. It can be repeated. @throws the errors of the edges */
export async function stepAccounts(edges: ExchangeEdges, asked: ExchangeState): Promise<Act> {
  const [document, joined] = await Promise.all([edges.accounts(), withJoined(edges, asked)]);
  const { rotation } = document ?? {};
  if (document === undefined || rotation?.id !== asked.rotation) {
    const { state } = joined;
    if (document?.generations.some(({ mintedFor }) => mintedFor === state.rotation)) return over(edges, state, 'EXCHANGED', EXCHANGED);
    return state.request === undefined ? overWithout(edges, state, document) : startAccounts(edges, state);
  }
  // The answer of the run that minted it may be lost.
  const state = begun(joined.state);
  const act = await withoutWork(edges, { ...joined, state }, rotation, accountsSoakUntil(rotation));
  if (act !== undefined) return act;
  const rotating = isGiven(rotation)
    ? await bring(edges, 'service-accounts', () => accountKeysOf(document)?.stamp, { ...state, asked: byHost(state.asked) })
    : undefined;
  if (rotating !== undefined) return waitForSet(edges, { ...joined, state }, rotation, rotating);
  if (state.facts === undefined) return goOn('look', 0, state);
  return judge(edges, state, document, rotation);
}

const EXCHANGED = 'the key pair of service accounts was exchanged, and tokens by the old one are refused';

/** What was only minted is given to nobody, and what is to be undone is not done first. */
const isGiven = (rotation: AccountsRotation): boolean =>
  !accountsGoBackAtOnce(rotation) && (rotation.state !== 'MINTED' || rotation.abortRequested !== undefined);

const byHost = (asked: ExchangeState['asked']): ExchangeState['asked'] =>
  [...asked].sort((one, other) => one.host.localeCompare(other.host));

async function judge(
  edges: ExchangeEdges,
  state: ExchangeState,
  document: ServiceAccountsSecret,
  rotation: AccountsRotation,
): Promise<Act> {
  const { authority } = state;
  const { told } = await heardNodes(state.facts ?? []);
  const silent = state.asked.filter(({ host }) => !told.some((node) => node.host === host));
  const [seen, shown] = await Promise.all([look(edges, told, authority, state.asked), lookAtKeys(edges, told, state.asked)]);
  const before = rotation.before ?? {};
  const kept = { ...state, events: state.events + silentEvents(silent.length, state) };
  const observation = observeAccounts(document, rotation, before, { told, silent }, seen, shown, edges.now());
  const verdict = accountsMayLeave(observation);
  if (!verdict.open) {
    const { because, kind } = verdict;
    return waitFor(edges, kept, authority, { what: gatesOf(rotation), because, kind }, kind === 'work' ? 'look' : 'step', LOOK_SECONDS);
  }
  edges.telemetry.log('gates-open', { authority, rotation: rotation.id, state: rotation.state, evidence: verdict.evidence });
  const now = { rotation: rotation.id, now: edges.now() };
  if (rotation.abortRequested !== undefined) {
    const to = accountsStateBefore(rotation.mode, rotation.state);
    if (to === undefined) return halt(edges, kept, authority, [`there is no way back from ${rotation.state} in mode ${rotation.mode}`]);
    const after = await edges.changeAccounts((each) => (isTaken(each, state) ? each : returnPair(each, to, now)));
    return to === 'STEADY' && after.rotation === undefined
      ? over(edges, kept, 'TURNED_BACK', 'the key pair of service accounts is as before')
      : goOn('step', 0, moved(kept));
  }
  const to = accountsStateAfter(rotation.state);
  const after = await edges.changeAccounts((each) => {
    // Somebody asked to turn back while everything was looked at.
    if (isTaken(each, state) || (each.rotation?.id === rotation.id && each.rotation.abortRequested !== undefined)) return each;
    return to === undefined ? closePair(each, now) : advancePair(each, to, now);
  });
  if (to !== undefined || after.rotation !== undefined) return goOn('step', 0, moved(kept));
  const by = rotation.approvedBy === undefined ? '' : `, as ${rotation.approvedBy} approved`;
  return over(edges, { ...kept, notes: refusedTokens(observation.legacy ?? [], rotation.to) }, 'EXCHANGED', `${EXCHANGED}${by}`);
}
