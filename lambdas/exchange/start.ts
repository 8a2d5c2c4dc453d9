import { approve, mintNext, prune } from '../authorities/generations';
import { LIMITS } from '../authorities/rotation-facts';
import { planRotation } from '../authorities/rotation-plan';
import type { RotationPlan } from '../authorities/rotation-plan';
import { signingIn } from '../authorities/trust';
import { heardNodes } from '../certificates/hear-nodes';
import { AuthorityName } from '../contract/certificate-names';
import { goOn } from '../contract/rotate-authority';
import type { Act, ExchangeState } from '../contract/rotate-authority';
import { crossSign, newAuthority } from '../pki/issue';
import { inYears } from '../pki/validity';
import { firstSets } from './distribute';
import type { ExchangeEdges } from './edges';
import { look } from './look';
import { untoldNodes } from './observe';
import { rotationFactsOf } from './rotation-facts-of';
import type { Documents } from './rotation-facts-of';
import { ended } from './tell';
import { LOOK_SECONDS, waitFor } from './waiting';

/** A snapshot of the last day: one is taken more often than that, or an alarm is on. */
export const SNAPSHOT_SECONDS = 86_400;

/** Plans a new one, and mints. Nothing is distributed by that. @throws the errors of the edges */
export async function start(edges: ExchangeEdges, state: ExchangeState & { readonly authority: AuthorityName }): Promise<Act> {
  const { request, facts, authority, rotation, driver } = state;
  if (request === undefined || facts === undefined) return goOn('look', 0, state);
  // Without it nobody could see etcd afterwards.
  if (authority === 'etcd') await edges.etcdClient();
  const heard = await heardNodes(facts);
  const first = request.plan ? undefined : await firstSets(edges, state.asked);
  if (first !== undefined) return waitFor(edges, state, authority, { what: 'first sets', because: [first] }, 'look', LOOK_SECONDS);
  const seen = await look(edges, heard.told, authority, state.asked);
  const [documents, accounts, snapshots] = await Promise.all([documentsOf(edges), edges.accounts(), edges.snapshots()]);
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
    snapshotYoungerThanSeconds: SNAPSHOT_SECONDS,
    ...(request.canarySeconds !== undefined && { canarySeconds: request.canarySeconds }),
  };
  const plan = planRotation(rotationFactsOf(heard, documents, authority, known, accounts), asked, limits);
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
      ...{ id: rotation, mode, now, canary: plan.canary, driver, before },
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

export async function documentsOf(edges: Pick<ExchangeEdges, 'authority'>): Promise<Documents> {
  const all = await Promise.all(AuthorityName.options.map(async (name) => [name, await edges.authority(name)] as const));
  return Object.fromEntries(all.filter(([, document]) => document !== undefined));
}

const untoldText = (untold: readonly string[]): string[] =>
  untold.length === 0 ? [] : [`nobody tells of the kubelets of ${untold.join(', ')}: see to them before the old authority is distrusted`];

const planText = (plan: Extract<RotationPlan, { decision: 'rotate' }>): string =>
  [
    `${plan.states.length} states, at most ${plan.seconds} s; ${plan.canary} distrusts first; ${plan.downtime ?? 'no downtime'}`,
    ...plan.states.map(({ state, restarts }) => `${state}: ${restarts.length === 0 ? 'no restart' : `${restarts.length} restart(s)`}`),
  ].join('; ');
