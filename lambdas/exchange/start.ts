import { ASKED_FOR_ITSELF, approve } from '../authorities/approval';
import { mintNext, nextNumber } from '../authorities/generations';
import { prune } from '../authorities/prune';
import type { KeptSnapshot } from '../authorities/prune';
import { planRotation } from '../authorities/rotation-plan';
import type { RotationPlan } from '../authorities/rotation-plan';
import { signingIn } from '../authorities/trust';
import { heardNodes } from '../certificates/hear-nodes';
import type { AuthorityName } from '../contract/certificate-names';
import { goOn } from '../contract/rotate-authority';
import type { Act, ExchangeRequest, ExchangeState } from '../contract/rotate-authority';
import { crossSign, newAuthority } from '../pki/issue';
import { inYears } from '../pki/validity';
import { beforeOf } from './cluster-seen';
import type { Before } from './cluster-seen';
import { firstSets } from './distribute';
import type { ExchangeEdges } from './edges';
import { look } from './look';
import { mintAlone } from './mint-alone';
import { untoldKubelet, untoldNodes } from './observe';
import { START_LIMITS, begun, documentsOf, knownOf, refused, refusedBy, statesText } from './prepare';
import { leavesOf, rotationFactsOf } from './rotation-facts-of';
import { ended } from './tell';
import { LOOK_SECONDS, waitFor } from './waiting';

/** Plans a new one, and mints. Nothing is distributed by that. @throws the errors of the edges */
export async function start(edges: ExchangeEdges, state: ExchangeState & { readonly authority: AuthorityName }): Promise<Act> {
  const { request, facts, authority, rotation } = state;
  if (request === undefined || facts === undefined) return goOn('look', 0, state);
  // Without it nobody could see etcd afterwards.
  if (authority === 'etcd') await edges.etcdClient();
  const heard = await heardNodes(facts);
  const documents = await documentsOf(edges);
  // Of a cluster that was never adopted nothing is begun.
  const first = request.plan || documents[authority] === undefined ? undefined : await firstSets(edges, state.asked);
  if (first !== undefined) return waitFor(edges, state, authority, { what: 'first sets', because: [first] }, 'look', LOOK_SECONDS);
  const seen = await look(edges, heard.told, authority, state.asked);
  const [accounts, { kept, ...known }] = await Promise.all([edges.accounts(), knownOf(edges, request.plan, seen, heard)]);
  const { mode, soakSeconds, canary } = request;
  const asked = {
    id: rotation,
    authority,
    mode,
    ...(soakSeconds !== undefined && { soakSeconds }),
    ...(canary !== undefined && { canary }),
  };
  const limits = {
    ...START_LIMITS,
    ...(request.canarySeconds !== undefined && { canarySeconds: request.canarySeconds }),
  };
  const plan = planRotation(rotationFactsOf(heard, documents, authority, known, accounts), asked, limits);
  if (plan.decision === 'refuse') return refusedBy(edges, state, plan.all);
  if (seen.cluster === undefined) return refused(edges, state, `the Kubernetes API did not answer: ${seen.clusterBecause ?? ''}`);
  const untold = authority === 'cluster' ? untoldNodes(seen.cluster, heard.told) : [];
  if (request.plan) return ended(state, 'PLANNED', [planText(plan), ...untoldText(untold)].join('; '), { plan });
  const before = beforeOf(seen.cluster, heard.told, (node) => leavesOf(node, authority));
  return mintAlone(edges, state, () =>
    mint(edges, { ...state, authority }, { request, plan, before, named: untold.map(untoldKubelet), kept }),
  );
}

interface Minting {
  readonly request: ExchangeRequest;
  readonly plan: Extract<RotationPlan, { decision: 'rotate' }>;
  readonly before: Before;
  readonly named: readonly string[];
  /** All that still exist; undefined when one of them tells nothing. */
  readonly kept: readonly KeptSnapshot[] | undefined;
}

async function mint(
  edges: ExchangeEdges,
  state: ExchangeState & { readonly authority: AuthorityName },
  { request, plan, before, named, kept }: Minting,
): Promise<Act> {
  const { authority, rotation, driver } = state;
  const { mode, soakSeconds } = request;
  const made = await edges.change(authority, (found) => {
    const now = edges.now();
    const document = prune(authority, found, kept);
    const old = signingIn(document);
    if (document.rotation !== undefined || old?.key === undefined) return document;
    const next = newAuthority(authority, {
      generation: nextNumber(found),
      notAfter: inYears(now, edges.settings.caValidityYears),
      now,
    });
    const cross = mode === 'planned' ? crossSign(next, { cert: old.certificate, key: old.key }, { now }).cert : undefined;
    const minted = { certificate: next.cert, key: next.key, ...(cross !== undefined && { cross }) };
    const noted = mintNext(document, minted, {
      ...{ id: rotation, mode, now, canary: plan.canary, driver, before, named },
      ...(soakSeconds !== undefined && { soakSeconds }),
      ...(request.canarySeconds !== undefined && { canarySeconds: request.canarySeconds }),
    });
    // Of workers that nobody tells of somebody has to say that they are seen to; who begins one by hand has read the plan.
    const isAsked = request.approval === 'ask' || (request.by === 'age' && named.length > 0);
    return !isAsked ? approve(noted, ASKED_FOR_ITSELF, { rotation, now }) : noted;
  });
  // Somebody else was faster: planned again, it is told.
  if (made.rotation?.id !== rotation) return goOn('look', 0, state);
  edges.telemetry.log('authority-minted', { authority, rotation, mode, generations: made.generations.length, canary: plan.canary });
  return goOn('step', 0, begun(state));
}

const untoldText = (untold: readonly string[]): string[] =>
  untold.length === 0 ? [] : [`nobody tells of the kubelets of ${untold.join(', ')}: see to them before the old authority is distrusted`];

const planText = (plan: Extract<RotationPlan, { decision: 'rotate' }>): string =>
  [
    `${plan.states.length} states, at most ${plan.seconds} s; ${plan.canary} distrusts first; ${plan.downtime ?? 'no downtime'}`,
    ...statesText(plan.states),
  ].join('; ');
