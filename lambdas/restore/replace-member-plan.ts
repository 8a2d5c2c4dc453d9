import type { ReplaceRequest, ReplacementPlan } from '../contract/replace-member';
import type { NodeEnd } from '../contract/restore';
import { knowsLeader } from '../etcd/cluster-view';
import type { MemberView } from '../etcd/cluster-view';
import type { ListedMember } from '../etcd/surgeon';
import type { KnownNode } from './node-readiness';
import { survey } from './node-readiness';
import type { NodeIdentity } from './replacement-target';
import { describe, targetOf } from './replacement-target';

export interface ReplaceInput {
  readonly request: Pick<ReplaceRequest, 'node' | 'member' | 'force' | 'allowEven'>;
  readonly restoreId: string;
  /** How `facts` ended on the nodes of the control plane. */
  readonly facts: readonly NodeEnd[];
  /** The members as a majority lists them; undefined when there is none. */
  readonly members: readonly ListedMember[] | undefined;
  /** What each endpoint said of itself. */
  readonly views: readonly MemberView[];
  /** The id of the snapshot that a restore would take, for whoever has to restore instead. */
  readonly newestVerified?: string;
}

export interface Refusal {
  readonly decision: 'refuse';
  readonly because: string;
  /** What to do. */
  readonly instead: string;
  /** An election may be under way: to be believed only when it lasts. */
  readonly mayPass?: true;
}
export type ReplaceDecision = ({ readonly decision: 'replace' } & ReplacementPlan) | Refusal;

const refuse = (because: string, instead: string): Refusal => ({ decision: 'refuse', because, instead });
const quorumOf = (voters: number): number => Math.floor(voters / 2) + 1;

/**
 * Whether and how the member of a node is replaced. An accepted plan leaves a majority of voting members serving at each of its steps: the dead
 * one goes, the new one comes as a learner, which has no vote, and gets its vote when it has everything.
 */
export function planReplacement(input: ReplaceInput): ReplaceDecision {
  const { request, restoreId, facts, members, views } = input;
  const node = nodeOf(request.node, facts);
  if ('decision' in node) return node;
  const { identity } = node;
  if (members === undefined) return noQuorum('no majority of the members answers', input);

  const serving = new Set(views.flatMap((view) => (view.reachable && hasLeader(view) ? [view.status.id] : [])));
  const lives = ({ id }: ListedMember): boolean => serving.has(id);
  const target = targetOf(members, identity, lives, request.member);
  if ('because' in target) return refuse(target.because, target.instead);

  const { member } = target;
  if (member !== undefined && !member.isLearner && lives(member) && !request.force)
    return refuse(
      `${describe(member)} serves`,
      'restart it when something is wrong with it, or say force to replace it although it serves',
    );
  const others = members.filter(({ id }) => id !== member?.id);
  const voters = members.filter(({ isLearner }) => !isLearner);
  const servingOthers = others.filter((other) => !other.isLearner && lives(other));
  if (servingOthers.length < quorumOf(voters.length))
    return noQuorum(
      `without it ${servingOthers.length} of ${voters.length} voting members serve, and ${quorumOf(voters.length)} must`,
      input,
    );
  const obstacle = obstacleAmong(others, identity, lives, voters.length) ?? claimedElsewhere(facts, node.known);
  if (obstacle !== undefined) return obstacle;
  const after = others.length + 1;
  if (after % 2 === 0 && !request.allowEven) return evenVoters(after, member, voters.length);

  const plan = {
    decision: 'replace' as const,
    ...{ restoreId, record: node.record ?? restoreId, node: { instanceId: node.known.instanceId, host: node.known.host } },
    ...{ name: identity.name, peerUrls: [...identity.peerUrls], clientUrl: identity.clientUrl },
    ...{ initialCluster: initialClusterOf(others, identity), voters: after },
  };
  return howTo(plan, member, lives);
}

/** What becomes of the member that the node stands for, by what it is. */
function howTo(
  plan: Omit<Extract<ReplaceDecision, { decision: 'replace' }>, 'from' | 'message'>,
  member: ListedMember | undefined,
  lives: (member: ListedMember) => boolean,
): ReplaceDecision {
  const { name, node, voters } = plan;
  const end = `it gets its vote when it is in sync, and then there are ${voters}`;
  if (member === undefined)
    return { ...plan, from: 'leave', message: `no member is removed; ${name} joins on ${node.host} as a learner; ${end}` };
  const own = member.peerUrls.toSorted().join() === plan.peerUrls.toSorted().join();
  if (member.isLearner && own && lives(member))
    return { ...plan, from: 'promote', learner: member.id, message: `${describe(member)} is a learner already; ${end}` };
  // One that never started has nothing to lose; one that did and lost its disk is not the same member any more.
  if (member.isLearner && own && member.name === '')
    return { ...plan, from: 'leave', learner: member.id, message: `${name} starts on ${node.host} as the learner ${member.id} that was added already; ${end}` }; // prettier-ignore
  const goes = `${describe(member)}, which ${lives(member) ? 'serves' : 'does not serve'}, is removed`;
  return { ...plan, from: 'leave', remove: member.id, message: `${goes}; ${name} joins on ${node.host} as a learner; ${end}` };
}

const hasLeader = ({ status }: Extract<MemberView, { reachable: true }>): boolean => knowsLeader(status);

function noQuorum(because: string, { newestVerified }: ReplaceInput): Refusal {
  const which =
    newestVerified === undefined
      ? 'there is no verified snapshot: list what there is'
      : `the newest verified snapshot is ${newestVerified}`;
  const refusal = refuse(
    `${because}: etcd changes no members without a majority`,
    `run the restore runbook, which brings all members back; ${which}`,
  );
  return { ...refusal, mayPass: true };
}

interface ReadyNode {
  readonly known: KnownNode;
  readonly identity: NodeIdentity;
  /** The replacement that stopped etcd there and did not end. */
  readonly record: string | null;
}

/** The node that is meant, ready for `leave` and `join-member`. */
function nodeOf(instanceId: string, ends: readonly NodeEnd[]): ReadyNode | Refusal {
  const { known, silent } = survey(ends);
  const quiet = silent.find((node) => node.instanceId === instanceId);
  if (quiet !== undefined)
    return refuse(`${quiet.host} ${instanceId} does not answer (${quiet.because})`, 'start it and its SSM agent, or name another node');
  const node = known.find((each) => each.instanceId === instanceId);
  if (node === undefined)
    return refuse(
      `${instanceId} is none of the nodes of the control plane`,
      `give one of ${ends.map((each) => each.instanceId).join(', ')}`,
    );
  const { host, facts } = node;
  const on = `${host} ${instanceId}`;
  const { etcd, apiserver, data, busyWith, strayManifests } = facts;
  if (busyWith !== null) return refuse(`${busyWith} runs on ${on} now`, 'wait until it has ended');
  const holder = apiserver.keptBy ?? etcd.keptBy;
  const unfinished = facts.restores.some(({ restoreId, purpose }) => restoreId === holder && purpose === 'replace');
  if (holder !== null && !unfinished)
    return refuse(`restore ${holder} has stopped parts of ${on} and never ended`, `start a restore with {"rollBack":"${holder}"} first`);
  if (strayManifests.length > 0)
    return refuse(`${strayManifests.join(', ')} on ${on} would run a second etcd or API server`, 'move it out of the manifest folder');
  if (etcd.runs === 'absent')
    return refuse(
      `no etcd is set up on ${on}`,
      'put the static-pod manifest and the certificates of etcd there, as kubeadm join does, then start again',
    );
  if (etcd.name === null || etcd.peerUrls === null || etcd.clientUrl === null || data === null)
    return refuse(
      `the flags of etcd on ${on} do not tell name, peer URLs, client URL and data directory`,
      'give them as words of their own in its manifest',
    );
  const identity = { host, name: etcd.name, peerUrls: etcd.peerUrls.split(','), clientUrl: etcd.clientUrl };
  if (etcd.runs === 'systemd') return bySystemd(on, identity, data.dir);
  if (etcd.walDir !== null)
    return refuse(`etcd on ${on} keeps its log apart in ${etcd.walDir}`, 'move it into the data directory, or replace the member by hand');
  return { known: node, identity, record: holder };
}

const bySystemd = (on: string, { name, peerUrls }: NodeIdentity, dataDir: string): Refusal =>
  refuse(
    `etcd on ${on} is run by systemd, whose flags no document changes`,
    `by hand: stop etcd.service; etcdctl member remove the dead one; move ${dataDir} away; etcdctl member add ${name} --learner --peer-urls=${peerUrls.join(',')}; set ETCD_INITIAL_CLUSTER to what that prints and ETCD_INITIAL_CLUSTER_STATE=existing; start etcd.service; etcdctl member promote it when it is in sync`,
  );

/** What among the members that stay keeps etcd from adding one, or the new one from being itself. */
function obstacleAmong(
  others: readonly ListedMember[],
  node: NodeIdentity,
  lives: (member: ListedMember) => boolean,
  voters: number,
): Refusal | undefined {
  const twin = others.find(({ name, peerUrls }) => name === node.name || peerUrls.some((url) => node.peerUrls.includes(url)));
  if (twin !== undefined)
    return refuse(
      `${describe(twin)} has the name or the peer URL that etcd on ${node.host} would have`,
      'give etcd on this node a name and a peer URL of its own, or name the member that it is with "member"',
    );
  const learner = others.find(({ isLearner }) => isLearner);
  if (learner !== undefined)
    return refuse(
      `${describe(learner)} is a learner already, and etcd takes one at a time`,
      `replace that one first, or etcdctl member remove ${learner.id}`,
    );
  // etcd adds no member while one that votes is not connected (server.go, mayAddMember), and would leave the cluster one short.
  const dead = others.find((other) => !lives(other));
  if (dead !== undefined)
    return refuse(
      `${describe(dead)} does not serve either, and etcd adds no member before every other one of ${voters} is connected`,
      `bring it back first; or, when it is gone for good, etcdctl member remove ${dead.id} and start again`,
    );
  return undefined;
}

/** Another node whose etcd is set up as the same member would come back as it. */
function claimedElsewhere(ends: readonly NodeEnd[], { instanceId, facts: { etcd } }: KnownNode): Refusal | undefined {
  const urls = new Set(etcd.peerUrls?.split(','));
  const twin = survey(ends).known.find(
    ({ instanceId: id, facts }) =>
      id !== instanceId && (facts.etcd.name === etcd.name || (facts.etcd.peerUrls ?? '').split(',').some((url) => urls.has(url))),
  );
  return (
    twin && refuse(`etcd on ${twin.host} ${twin.instanceId} is set up with the same name or peer URL`, 'correct the flags of one of them')
  );
}

function evenVoters(after: number, member: ListedMember | undefined, voters: number): Refusal {
  const because = `there would be ${after} voting members, which survive no more failures than ${after - 1}`;
  if (member !== undefined && !member.isLearner)
    return refuse(because, `etcdctl member remove ${member.id} and stay with ${voters - 1}, or say allowEven on the way to ${after + 1}`);
  return refuse(because, `stay with ${voters}, or say allowEven on the way to ${after + 1}`);
}

const initialClusterOf = (others: readonly ListedMember[], { name, peerUrls }: Pick<NodeIdentity, 'name' | 'peerUrls'>): string =>
  [...others, { name, peerUrls }].flatMap((member) => member.peerUrls.map((url) => `${member.name}=${url}`)).join(',');
