import { z } from 'zod';
import type { Telemetry } from '../backup/edges';
import { messageOf } from '../contract/lifeboat-error';
import { ReplaceRequest, ReplacementPlan } from '../contract/replace-member';
import { NodeEnd, RestoreId } from '../contract/restore';
import type { RunbookNode } from '../contract/restore';
import { knowsLeader } from '../etcd/cluster-view';
import type { EtcdReader } from '../etcd/cluster-view';
import type { EtcdSurgeon, ListedMember, Refused } from '../etcd/surgeon';
import type { Serving } from './check-etcd';
import { agree } from './check-etcd';
import { EtcdNotReady, MembersUnchanged, RestoreRefused } from './errors';
import { survey } from './node-readiness';
import { planReplacement } from './replace-member-plan';

const endpoints = z.array(z.url()).min(1);

/** One step of a replacement. `endpoints` are those of the members that stay. */
export const ChangeMembersEvent = z.discriminatedUnion('do', [
  z.object({ do: z.literal('plan'), request: ReplaceRequest, restoreId: RestoreId, facts: z.array(NodeEnd) }),
  z.object({ do: z.literal('remove'), endpoints, plan: ReplacementPlan }),
  z.object({ do: z.literal('add'), endpoints, plan: ReplacementPlan }),
  z.object({ do: z.literal('promote'), endpoints, plan: ReplacementPlan, learner: z.string() }),
  /** After all: every member serves the same, and nobody is without a vote. */
  z.object({ do: z.literal('check'), endpoints, plan: ReplacementPlan }),
  /** After a failure: what the cluster is now. */
  z.object({ do: z.literal('left'), endpoints, plan: ReplacementPlan }),
]);
export type ChangeMembersEvent = z.infer<typeof ChangeMembersEvent>;
type Step<D extends ChangeMembersEvent['do']> = Extract<ChangeMembersEvent, { do: D }>;

export interface MemberEdges {
  readonly etcd: Pick<EtcdReader, 'gather' | 'hashKv'>;
  readonly surgeon: EtcdSurgeon;
  readonly telemetry: Pick<Telemetry, 'log' | 'warn'>;
}

export interface PlanEdges extends MemberEdges {
  readonly newestVerified: () => Promise<string | undefined>;
  readonly wait: (ms: number) => Promise<unknown>;
}

/** A majority that is missing is looked for this often, so that no election, which takes seconds, is taken for a cluster that has to be restored. */
const LOOKS = 6;
const LOOK_AGAIN_MS = 3_000;

type Parameters = Readonly<Record<string, string>>;

/** What the plan hands on. */
export interface PlannedReplacement {
  readonly plan: ReplacementPlan;
  /** Of the members that stay. */
  readonly endpoints: readonly string[];
  /** For the documents. */
  readonly nodes: readonly RunbookNode[];
  readonly parameters: { readonly leave: Parameters; readonly join: Parameters };
}

/**
 * Looks at everything and plans; changes nothing.
 *
 * @throws RestoreRefused with why, and what to do instead
 */
export async function planMembers(edges: PlanEdges, { request, restoreId, facts }: Step<'plan'>): Promise<PlannedReplacement> {
  const newestVerified = await edges.newestVerified().catch((error: unknown) => {
    edges.telemetry.warn('snapshots-not-listed', { because: messageOf(error) });
    return undefined;
  });
  const look = async () => {
    const { members: views } = await edges.etcd.gather();
    const answering = views.flatMap(({ endpoint, reachable }) => (reachable ? [endpoint] : []));
    const members = await listed(edges, answering);
    const known = { ...(newestVerified !== undefined && { newestVerified }) };
    return { views, decided: planReplacement({ request, restoreId, facts, members, views, ...known }) };
  };
  let { views, decided } = await look();
  for (let looks = 1; looks < LOOKS && decided.decision === 'refuse' && decided.mayPass; looks++) {
    edges.telemetry.warn('majority-missing', { because: decided.because, looks });
    await edges.wait(LOOK_AGAIN_MS);
    ({ views, decided } = await look());
  }
  edges.telemetry.log('replacement-planned', { ...decided });
  if (decided.decision === 'refuse') throw new RestoreRefused(`nothing was changed: ${decided.because}: ${decided.instead}`);
  const made = ReplacementPlan.parse(decided);
  const staying = views.flatMap((view) => (view.reachable && view.status.id !== made.remove ? [view.endpoint] : []));
  const leave = { restoreId: made.record };
  const parameters = { leave, join: { ...leave, initialCluster: made.initialCluster } };
  return { plan: made, endpoints: staying, nodes: [made.node], parameters };
}

/** As a majority lists them: each member is asked until one can say. */
async function listed({ surgeon, telemetry }: MemberEdges, answering: readonly string[]): Promise<readonly ListedMember[] | undefined> {
  for (const endpoint of answering) {
    try {
      return await surgeon.memberList(endpoint, true);
    } catch (error) {
      telemetry.warn('members-not-listed', { endpoint, because: messageOf(error) });
    }
  }
  return undefined;
}

/** @throws EtcdNotReady while etcd does not do it yet, MembersUnchanged when it never will */
export async function removeMember({ surgeon }: MemberEdges, { plan }: Step<'remove'>): Promise<{ readonly removed: string }> {
  if (plan.remove === undefined) return { removed: 'nobody' };
  const done = await surgeon.memberRemove(plan.remove);
  if (done.outcome === 'refused') throw failureOf(`remove member ${plan.remove}`, done);
  return { removed: done.outcome };
}

/** @throws EtcdNotReady while etcd does not do it yet, MembersUnchanged when it never will */
export async function addMember({ surgeon }: MemberEdges, { plan }: Step<'add'>): Promise<{ readonly learner: string }> {
  const done = await surgeon.memberAddAsLearner(plan.peerUrls);
  if (done.outcome === 'refused') throw failureOf(`add ${plan.peerUrls.join(',')} as a learner`, done);
  const { id, name, isLearner } = done.member;
  // Somebody else was quicker: whoever joins now would take the place of a member that votes.
  if (!isLearner || id === plan.remove || (name !== '' && name !== plan.name))
    throw new MembersUnchanged(
      `${plan.peerUrls.join(',')} is already of member ${name} ${id}${isLearner ? '' : ', which votes'}: start the replacement again`,
    );
  return { learner: id };
}

/** @throws EtcdNotReady while the learner is not in sync, MembersUnchanged when it never will be */
export async function promoteMember({ surgeon }: MemberEdges, { learner }: Step<'promote'>): Promise<{ readonly promoted: string }> {
  const done = await surgeon.memberPromote(learner);
  if (done.outcome === 'refused') throw failureOf(`promote learner ${learner}`, done);
  return { promoted: done.outcome };
}

export interface CheckedMembers {
  readonly voters: number;
  /** By name. */
  readonly members: readonly string[];
  /** HashKV that every member has at one revision. */
  readonly revision: number;
  readonly hash: string;
}

/**
 * @throws EtcdNotReady while not every member has started, votes and serves the same
 * @throws RestoredDataDiffers when members hold different data
 */
export async function checkMembers(edges: MemberEdges, { plan, endpoints }: Step<'check'>): Promise<CheckedMembers> {
  const members = await listed(edges, endpoints);
  if (members === undefined) throw new EtcdNotReady('no member lists the others: wait');
  const { members: views } = await edges.etcd.gather();
  const wrong = [
    ...members.filter(({ name }) => name === '').map(({ id }) => `member ${id} has not started`),
    ...members.filter(({ isLearner }) => isLearner).map(({ name, id }) => `${name} ${id} has no vote`),
    ...members
      .filter(({ id }) => !views.some((view) => view.reachable && view.status.id === id && knowsLeader(view.status)))
      .map(({ name, id }) => `${name} ${id} does not serve`),
    ...(members.length === plan.voters ? [] : [`there are ${members.length} members, not ${plan.voters}`]),
  ];
  if (wrong.length > 0) throw new EtcdNotReady(`${wrong.join('; ')}: wait, and read the log of etcd there`);
  const serving = views.filter((view): view is Serving => view.reachable && members.some(({ id }) => id === view.status.id));
  return { voters: members.length, members: members.map(({ name }) => name), ...(await agree(edges, serving)) };
}

export interface LeftMembers {
  /** Whether the member that was to be replaced is no part of the cluster any more. */
  readonly removed: boolean;
  /** Voting members by name. */
  readonly voters: readonly string[];
  /** The id of the learner that waits for its node or its vote. */
  readonly learner?: string;
}

/** @throws EtcdNotReady when no majority serves */
export async function leftMembers(edges: MemberEdges, { plan, endpoints }: Step<'left'>): Promise<LeftMembers> {
  const members = await listed(edges, endpoints);
  if (members === undefined) throw new EtcdNotReady('no member lists the others: no majority serves');
  const learner = members.find(({ isLearner }) => isLearner);
  return {
    removed: !members.some(({ id }) => id === plan.remove),
    voters: members.filter(({ isLearner }) => !isLearner).map(({ id, name }) => (name === '' ? id : name)),
    ...(learner && { learner: learner.id }),
  };
}

function failureOf(what: string, { why, because }: Refused): EtcdNotReady | MembersUnchanged {
  switch (why) {
    case 'not-in-sync':
    case 'unhealthy':
    case 'no-quorum':
      return new EtcdNotReady(`etcd does not ${what} yet (${because}): wait`);
    case 'another-learner':
    case 'peer-url-taken':
    case 'no-such-member':
      return new MembersUnchanged(`etcd does not ${what} (${because}): look at etcdctl member list, then start the replacement again`);
  }
}

/** Does one step; what it hands on depends on the step. */
export async function changeMembers(edges: PlanEdges, event: ChangeMembersEvent): Promise<object> {
  switch (event.do) {
    case 'plan':
      return planMembers(edges, event);
    case 'remove':
      return removeMember(edges, event);
    case 'add':
      return addMember(edges, event);
    case 'promote':
      return promoteMember(edges, event);
    case 'check':
      return checkMembers(edges, event);
    case 'left':
      return leftMembers(edges, event);
  }
}

/** Where members are to be looked for: those of the config, and those that the nodes name. */
export function endpointsToAsk(event: ChangeMembersEvent, configured: readonly string[]): readonly string[] {
  if (event.do === 'plan') return unique([...configured, ...survey(event.facts).known.flatMap(({ facts }) => facts.etcd.clientUrl ?? [])]);
  return unique([...configured, ...event.endpoints, ...(event.do === 'check' ? [event.plan.clientUrl] : [])]);
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];
