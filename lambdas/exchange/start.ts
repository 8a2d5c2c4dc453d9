import { approve } from '../authorities/approval';
import { mintNext, prune } from '../authorities/generations';
import { LIMITS } from '../authorities/rotation-facts';
import { planRotation } from '../authorities/rotation-plan';
import type { RotationPlan } from '../authorities/rotation-plan';
import { signingIn } from '../authorities/trust';
import { heardNodes } from '../certificates/hear-nodes';
import type { AuthorityRotation } from '../contract/authority-rotation';
import { AuthorityName } from '../contract/certificate-names';
import { messageOf } from '../contract/lifeboat-error';
import { goOn } from '../contract/rotate-authority';
import type { Act, ExchangeRequest, ExchangeState } from '../contract/rotate-authority';
import { crossSign, newAuthority } from '../pki/issue';
import { inYears } from '../pki/validity';
import { firstSets } from './distribute';
import type { ExchangeEdges } from './edges';
import { look } from './look';
import { untoldKubelet, untoldNodes } from './observe';
import { componentsOf, leavesOf, missingNodes, rotationFactsOf } from './rotation-facts-of';
import type { Documents } from './rotation-facts-of';
import { ended } from './tell';
import { LOOK_SECONDS, waitFor } from './waiting';

/** A snapshot of the last day: one is taken more often than that, or an alarm is on. */
const SNAPSHOT_SECONDS = 86_400;

/** Plans a new one, and mints. Nothing is distributed by that. @throws the errors of the edges */
export async function start(edges: ExchangeEdges, state: ExchangeState): Promise<Act> {
  const { request, facts, authority, rotation } = state;
  if (request === undefined || facts === undefined) return goOn('look', 0, state);
  // Without it nobody could see etcd afterwards.
  if (authority === 'etcd') await edges.etcdClient();
  const heard = await heardNodes(facts);
  // Of a cluster that was never adopted nothing is begun.
  const adopted = (await edges.authority(authority)) !== undefined;
  const first = request.plan || !adopted ? undefined : await firstSets(edges, state.asked);
  if (first !== undefined) return waitFor(edges, state, authority, { what: 'first sets', because: [first] }, 'look', LOOK_SECONDS);
  const seen = await look(edges, heard.told, authority, state.asked);
  // What is to be minted waits for the lock; a plan says who has it.
  const [documents, snapshots, lockedBy] = await Promise.all([
    documentsOf(edges),
    edges.snapshots(),
    request.plan ? edges.lockedBy() : undefined,
  ]);
  const etcd = seen.etcd && { voters: seen.etcd.voters, healthy: seen.etcd.healthy, learners: seen.etcd.learners };
  const missing = seen.cluster === undefined ? [] : missingNodes(seen.cluster, heard);
  const known = { now: edges.now(), etcd, snapshot: snapshots.newest, missing, ...(lockedBy !== undefined && { lockedBy }) };
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
  const plan = planRotation(rotationFactsOf(heard, documents, authority, known), asked, limits);
  if (plan.decision === 'refuse') {
    const all = plan.all.map(({ because, instead }) => `${because}: ${instead}`);
    return ended(state, 'REFUSED', all.join('; '), { whatToDo: plan.all.map(({ instead }) => instead) });
  }
  if (seen.cluster === undefined) return ended(state, 'REFUSED', `the Kubernetes API did not answer: ${seen.clusterBecause ?? ''}`);
  const untold = authority === 'cluster' ? untoldNodes(seen.cluster, heard.told) : [];
  if (request.plan) return ended(state, 'PLANNED', [planText(plan), ...untoldText(untold)].join('; '), { plan });
  const before = {
    voters: seen.etcd?.voters ?? 0,
    readyNodes: seen.cluster.nodes.filter(({ ready }) => ready).length,
    nodes: heard.told.map((node) => ({ name: node.host, runs: componentsOf(node), leaves: leavesOf(node, authority) })),
  };
  const held = await edges.lock.acquire(`exchange-${rotation}`);
  if (!held.acquired) {
    const because = [`${held.holder} holds the lock of the cluster, until ${held.expiresAt} at most`];
    return waitFor(edges, state, authority, { what: 'the lock of the cluster', because }, 'look', LOOK_SECONDS);
  }
  try {
    // Another authority may have begun since it was planned.
    const others = Object.values(await documentsOf(edges)).some((each) => each.rotation !== undefined && each.rotation.id !== rotation);
    if (others) return goOn('look', 0, state);
    return await mint(edges, state, { request, plan, before, named: untold.map(untoldKubelet), oldest: snapshots.oldest });
  } finally {
    await held.release().catch((error: unknown) => edges.telemetry.warn('lock-not-released', { because: messageOf(error) }));
  }
}

interface Minting {
  readonly request: ExchangeRequest;
  readonly plan: Extract<RotationPlan, { decision: 'rotate' }>;
  readonly before: NonNullable<AuthorityRotation['before']>;
  readonly named: readonly string[];
  /** When the oldest snapshot was taken. */
  readonly oldest: Date | undefined;
}

async function mint(edges: ExchangeEdges, state: ExchangeState, { request, plan, before, named, oldest }: Minting): Promise<Act> {
  const { authority, rotation, driver } = state;
  const { mode, soakSeconds } = request;
  const made = await edges.change(authority, (found) => {
    const now = edges.now();
    const document = prune(found, oldest);
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
      ...{ id: rotation, mode, now, canary: plan.canary, driver, before, named },
      ...(soakSeconds !== undefined && { soakSeconds }),
      ...(request.canarySeconds !== undefined && { canarySeconds: request.canarySeconds }),
    });
    return request.approval === 'automatic' ? approve(noted, 'the request itself', { rotation, now }) : noted;
  });
  // Somebody else was faster: planned again, it is told.
  if (made.rotation?.id !== rotation) return goOn('look', 0, state);
  edges.telemetry.log('authority-minted', { authority, rotation, mode, generations: made.generations.length, canary: plan.canary });
  // Without what was asked for, it is not begun anew when it is over.
  const { request: _, ...begun } = state;
  return goOn('step', 0, begun);
}

async function documentsOf(edges: ExchangeEdges): Promise<Documents> {
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
