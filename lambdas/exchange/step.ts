import { z } from 'zod';
import { LIMITS } from '../authorities/rotation-facts';
import { abortTo, advanceTo, approve, close, mintNext, prune } from '../authorities/generations';
import { compareWithRecorded } from '../authorities/derive-state';
import { mayLeave, mayReturn } from '../authorities/gates';
import type { GateVerdict } from '../authorities/gates';
import type { Observation } from '../authorities/observation';
import { planRotation } from '../authorities/rotation-plan';
import type { RotationPlan } from '../authorities/rotation-plan';
import { stateAfter, stateBefore } from '../authorities/rotation-path';
import { heardNodes } from '../certificates/hear-nodes';
import { AuthorityName } from '../contract/certificate-names';
import type { AuthorityRotation } from '../contract/authority-rotation';
import type { AuthoritySecret } from '../contract/certificates';
import { messageOf } from '../contract/lifeboat-error';
import { ExchangeState, goOn } from '../contract/rotate-authority';
import type { Act, ExchangeOutcome, Told } from '../contract/rotate-authority';
import { crossSign, newAuthority } from '../pki/issue';
import { distribute, firstSets } from './distribute';
import type { ExchangeEdges } from './edges';
import { look } from './look';
import { observe, soakUntil, untoldNodes } from './observe';
import { rotationFactsOf } from './rotation-facts-of';
import type { Documents } from './rotation-facts-of';
import { signingIn } from '../authorities/trust';

export const StepExchange = z.object({ do: z.literal('step'), state: ExchangeState });

/** A Wait of a quarter of an hour, so that a week of it stays far below the 25,000 events that a history may have. */
const LONGEST_WAIT_SECONDS = 900;
/** Between two looks at gates that are shut. */
const LOOK_SECONDS = 15;
/** So long a gate may stay shut that only work can open, before somebody is called. */
const SHUT_SECONDS = 3_600;
/** So long somebody is waited for who approves. */
const APPROVAL_SECONDS = 14 * 86_400;

/** One step of an exchange: whatever is next, by what is noted and what is seen. It can be repeated. @throws the errors of the edges */
export async function step(edges: ExchangeEdges, asked: ExchangeState): Promise<Act> {
  const [document, registered] = await Promise.all([edges.authority(asked.authority), edges.registered()]);
  // One that has joined meanwhile gets what the others have; one that is away is still asked for.
  const joined = registered.filter(({ instanceId }) => !asked.asked.some((each) => each.instanceId === instanceId));
  const state = { ...asked, asked: [...asked.asked, ...joined.map(({ instanceId, host }) => ({ instanceId, host }))] };
  const { rotation } = document ?? {};
  if (document === undefined || rotation?.id !== state.rotation) {
    if (document?.generations.some(({ mintedFor }) => mintedFor === state.rotation))
      return ended(state, 'EXCHANGED', 'it was ended before');
    // What was minted for it is gone: it was turned back, and is not begun anew.
    const wasMinted = state.request === undefined || state.before !== undefined;
    return wasMinted ? ended(state, 'TURNED_BACK', 'nothing of it is left') : start(edges, state);
  }
  const patient = state.facts === undefined ? patience(edges.now(), state, state.authority, rotation) : undefined;
  if (patient !== undefined) return goOn('step', patient, state);
  const rotating = await distribute(edges, document, state);
  if (rotating !== undefined) {
    const because = [`${rotating.host} does not have what ${rotation.state} gives it yet`];
    return waitFor(
      edges,
      { ...state, rotating },
      state.authority,
      { what: `the set of ${rotating.host} in ${rotation.state}`, because },
      'step',
      5,
    );
  }
  if (state.facts === undefined) return goOn('look', 0, state);
  return judge(edges, state, document, rotation);
}

async function documentsOf(edges: ExchangeEdges): Promise<Documents> {
  const all = await Promise.all(AuthorityName.options.map(async (name) => [name, await edges.authority(name)] as const));
  return Object.fromEntries(all.filter(([, document]) => document !== undefined));
}

/** Plans a new one, and mints. Nothing is distributed by that. */
async function start(edges: ExchangeEdges, state: ExchangeState): Promise<Act> {
  const { request, facts, authority, rotation, driver } = state;
  if (request === undefined || facts === undefined) return goOn('look', 0, state);
  // Without it nobody could see etcd afterwards.
  if (authority === 'etcd') await edges.etcdClient();
  const heard = await heardNodes(facts);
  const first = request.plan ? undefined : await firstSets(edges, state.asked);
  if (first !== undefined) return waitFor(edges, state, authority, { what: 'first sets', because: [first] }, 'look', LOOK_SECONDS);
  const seen = await look(edges, heard.told, authority, state.asked);
  const [documents, snapshots] = await Promise.all([documentsOf(edges), edges.snapshots()]);
  const etcd = seen.etcd && { voters: seen.etcd.voters, healthy: seen.etcd.healthy, learners: seen.etcd.learners };
  const known = { now: edges.now(), etcd, snapshot: snapshots.newest };
  const { mode, soakSeconds, canary } = request;
  const asked = {
    id: rotation,
    authority,
    mode,
    ...(soakSeconds !== undefined && { soakSeconds }),
    ...(canary !== undefined && { canary }),
  };
  const limits = {
    ...LIMITS,
    snapshotYoungerThanSeconds: 86_400,
    ...(request.canarySeconds !== undefined && { canarySeconds: request.canarySeconds }),
  };
  const plan = planRotation(rotationFactsOf(heard, documents, authority, known), asked, limits);
  if (plan.decision === 'refuse') {
    const all = plan.all.map(({ because, instead }) => `${because}: ${instead}`);
    return ended(state, 'REFUSED', all.join('; '), { whatToDo: plan.all.map(({ instead }) => instead) });
  }
  if (seen.cluster === undefined) return ended(state, 'REFUSED', `the Kubernetes API did not answer: ${seen.clusterBecause ?? ''}`);
  const untold = authority === 'cluster' ? untoldNodes(seen.cluster, heard.told) : [];
  if (request.plan) return ended(state, 'PLANNED', [planText(plan), ...untoldText(untold)].join('; '), { plan });
  const before = { voters: seen.etcd?.voters ?? 0, readyNodes: seen.cluster.nodes.filter(({ ready }) => ready).length };
  const made = await edges.change(authority, (found) => {
    const now = edges.now();
    const document = prune(found, snapshots.oldest);
    const old = signingIn(document);
    if (document.rotation !== undefined || old?.key === undefined) return document;
    const next = newAuthority(authority, {
      generation: document.generations.length + 1,
      notAfter: inYears(now, edges.settings.caValidityYears),
      now,
    });
    const cross = mode === 'planned' ? crossSign(next, { cert: old.certificate, key: old.key }, { now }).cert : undefined;
    const minted = { certificate: next.cert, key: next.key, ...(cross !== undefined && { cross }) };
    const noted = mintNext(document, minted, {
      ...{ id: rotation, mode, now, canary: plan.canary, driver },
      ...(soakSeconds !== undefined && { soakSeconds }),
      ...(request.canarySeconds !== undefined && { canarySeconds: request.canarySeconds }),
    });
    return request.approval === 'automatic' ? approve(noted, 'the request itself', { rotation, now }) : noted;
  });
  // Somebody else was faster: planned again, it is told.
  if (made.rotation?.id !== rotation) return goOn('look', 0, state);
  edges.telemetry.log('authority-minted', { authority, rotation, mode, generations: made.generations.length, canary: plan.canary });
  return goOn('step', 0, { ...state, before });
}

const isTime = (because: string): boolean => /^(it is to wait|clients renew by themselves) until \d/.test(because);
/** A kubelet of which nobody tells is seen to by whoever approves. */
const isApproval = (because: string): boolean => /^(nobody approved|the kubelet of \S+, whose certificate nobody told of,)/.test(because);

/**
 * Seconds for which nobody has to be asked anything: everything else was proven in this state, and only time or a person is missing.
 *
 * Undefined where there is something to look at.
 */
function patience(now: Date, { waiting }: ExchangeState, authority: AuthorityName, rotation: AuthorityRotation): number | undefined {
  const kind = waiting && kindOf(waiting.because);
  if (waiting === undefined || kind === 'work' || waiting.forWhat !== `${gatesOf(rotation)} (${kind})`) return undefined;
  const left = Math.ceil((soakUntil(authority, rotation).getTime() - now.getTime()) / 1_000);
  if (left > 0) return Math.min(LONGEST_WAIT_SECONDS, left);
  // Who is to approve is asked for it once the time is over, after another look.
  if (rotation.approvedBy !== undefined || rotation.abortRequested !== undefined || kind !== 'approval') return undefined;
  const since = now.getTime() / 1_000 - waiting.since;
  if (since > APPROVAL_SECONDS) return undefined;
  return since < 3_600 ? 60 : LONGEST_WAIT_SECONDS;
}

const gatesOf = ({ state, abortRequested }: AuthorityRotation): string =>
  `gates of ${state}${abortRequested === undefined ? '' : ', on the way back'}`;

async function judge(edges: ExchangeEdges, state: ExchangeState, document: AuthoritySecret, rotation: AuthorityRotation): Promise<Act> {
  const { told } = await heardNodes(state.facts ?? []);
  const silent = state.asked.filter(({ host }) => !told.some((node) => node.host === host));
  const seen = await look(edges, told, document.authority, state.asked, document);
  const before = state.before ?? {
    voters: seen.etcd?.voters ?? 0,
    readyNodes: seen.cluster?.nodes.filter(({ ready }) => ready).length ?? 0,
  };
  const kept = { ...state, before };
  const observation = observe(document, rotation, before, { told, silent }, seen, edges.now());
  const { state: at, mode } = rotation;
  const back = rotation.abortRequested !== undefined;
  const verdict = verdictOn(observation, document, rotation);
  if (!verdict.open) {
    const waited = { what: gatesOf(rotation), because: verdict.because };
    return kindOf(verdict.because) === 'work'
      ? waitFor(edges, kept, document.authority, waited, 'look', LOOK_SECONDS)
      : waitFor(edges, kept, document.authority, waited, 'step', LOOK_SECONDS);
  }
  edges.telemetry.log('gates-open', { authority: document.authority, rotation: rotation.id, state: at, evidence: verdict.evidence });
  const now = { rotation: rotation.id, now: edges.now() };
  if (back) {
    const to = stateBefore(mode, at);
    if (to === undefined) return halt(edges, kept, document.authority, [`there is no way back from ${at} in mode ${mode}`]);
    await edges.change(document.authority, (each) => abortTo(each, to, now));
    if (to === 'STEADY') await edges.forgetFormer(document.authority);
    return to === 'STEADY'
      ? finish(edges, kept, 'TURNED_BACK', `the ${document.authority} authority is as before`)
      : goOn('step', 0, moved(kept));
  }
  const to = stateAfter(mode, at);
  const after = await edges.change(document.authority, (each) => {
    // Somebody asked to turn back while everything was looked at.
    if (each.rotation?.id === rotation.id && each.rotation.abortRequested !== undefined) return each;
    return to === undefined ? close(each, now) : advanceTo(each, to, now);
  });
  if (after.rotation?.abortRequested !== undefined) return goOn('step', 0, moved(kept));
  if (to === undefined) await edges.forgetFormer(document.authority);
  return to === undefined
    ? finish(
        edges,
        kept,
        'EXCHANGED',
        `the ${document.authority} authority is ${observation.rotation.next.name}, and ${observation.rotation.old.name} is distrusted`,
      )
    : goOn('step', 0, moved(kept));
}

/** What ports show must be what is recorded, too: somebody else may have changed it, or a node came back from an old disk. */
function verdictOn(observation: Observation, document: AuthoritySecret, { state, abortRequested }: AuthorityRotation): GateVerdict {
  const verdict = abortRequested === undefined ? mayLeave(state, observation) : mayReturn(state, observation);
  const compared = compareWithRecorded(observation, document);
  if (compared.verdict === 'agree') return verdict;
  return { open: false, because: [...(verdict.open ? [] : verdict.because), ...compared.because] };
}

interface Waited {
  readonly what: string;
  readonly because: readonly string[];
}

/** What keeps a gate shut: work that is not done, time, or a person. */
const kindOf = (because: readonly string[]): 'work' | 'time' | 'approval' =>
  because.every((each) => isTime(each) || isApproval(each)) ? (because.some(isTime) ? 'time' : 'approval') : 'work';

/** Waits for the same only so long; then somebody is called, and everything stays as it is. */
async function waitFor(
  edges: ExchangeEdges,
  state: ExchangeState,
  authority: AuthorityName,
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

async function askPeople(
  edges: ExchangeEdges,
  { rotation }: ExchangeState,
  authority: AuthorityName,
  because: readonly string[],
): Promise<void> {
  await say(
    edges,
    `the ${authority} authority waits for approval`,
    [
      `Everything is proven, and both generations are served since long enough: the old ${authority} authority can be distrusted now. Who still knows it alone is refused from then on.`,
      ...because,
      `Approve by an execution of the same state machine with {"approve": "${rotation}", "by": "<your name>"}, or turn back with {"abort": "${rotation}", "by": "<your name>", "because": "<why>"}.`,
    ].join('\n'),
  );
}

const halt = (edges: ExchangeEdges, state: ExchangeState, authority: AuthorityName, because: readonly string[]): Promise<Act> =>
  finish(edges, state, 'HALTED', `the exchange of the ${authority} authority stands still: ${because.slice(0, 10).join('; ')}`, [
    `mend what is named, then start {"resume": "${state.rotation}"}`,
    `or turn back: {"abort": "${state.rotation}", "by": "<your name>", "because": "<why>"}`,
  ]);

/** Writes the report and tells people. */
async function finish(
  edges: ExchangeEdges,
  state: ExchangeState,
  outcome: ExchangeOutcome,
  summary: string,
  whatToDo: string[] = [],
): Promise<Act> {
  const { rotation, authority } = state;
  const report = {
    version: 1,
    kind: 'authority-exchange',
    cluster: edges.cluster,
    rotation,
    authority,
    outcome,
    summary,
    endedAt: edges.now().toISOString(),
    whatToDo,
  };
  await edges.write(rotation, JSON.stringify(report, undefined, 1));
  edges.telemetry.log('exchange-ended', { authority, rotation, outcome, summary });
  await say(edges, `exchange of the ${authority} authority: ${outcome}`, [summary, '', ...whatToDo.map((line) => `- ${line}`)].join('\n'));
  return ended(state, outcome, summary, { whatToDo });
}

async function say({ cluster, tell, telemetry }: ExchangeEdges, subject: string, message: string): Promise<void> {
  try {
    await tell?.(`kube-lifeboat ${cluster}: ${subject}`, message);
  } catch (error) {
    telemetry.warn('nobody-told', { because: messageOf(error) });
  }
}

const moved = ({ waiting: _waiting, rotating: _rotating, ...state }: ExchangeState): ExchangeState => state;

function ended({ rotation }: ExchangeState, outcome: ExchangeOutcome, summary: string, more: Partial<Told> = {}): Act {
  return { act: 'end', told: { outcome, rotation, summary, whatToDo: [], ...more } };
}

const untoldText = (untold: readonly string[]): string[] =>
  untold.length === 0 ? [] : [`nobody tells of the kubelets of ${untold.join(', ')}: see to them before the old authority is distrusted`];

const planText = (plan: Extract<RotationPlan, { decision: 'rotate' }>): string =>
  [
    `${plan.states.length} states, at most ${plan.seconds} s; ${plan.canary} distrusts first; ${plan.downtime ?? 'no downtime'}`,
    ...plan.states.map(({ state, restarts }) => `${state}: ${restarts.length === 0 ? 'no restart' : `${restarts.length} restart(s)`}`),
  ].join('; ');

function inYears(now: Date, years: number): Date {
  const then = new Date(now);
  then.setUTCFullYear(then.getUTCFullYear() + years);
  return then;
}
