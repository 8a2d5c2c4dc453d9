import { isLeader, knowsLeader } from '../etcd/cluster-view';
import type { ClusterView, MemberStatus, MemberView } from '../etcd/cluster-view';

/**
 * Raft entries that a member may be behind the newest applied index seen. A busy cluster applies a few thousand
 * entries a second and the members are asked at slightly different moments, so small gaps mean nothing.
 */
export const MAX_LAG = 5_000;

export type Judgement =
  | { readonly endpoint: string; readonly fit: true; readonly rank: number; readonly because: string }
  | { readonly endpoint: string; readonly fit: false; readonly because: string };

export interface ChosenMember {
  readonly endpoint: string;
  readonly status: MemberStatus;
  readonly leader: boolean;
  readonly because: string;
}

export interface MemberChoice {
  readonly chosen: ChosenMember | undefined;
  /** Every member with its verdict, for the log and the error message. */
  readonly judgements: readonly Judgement[];
}

/**
 * Picks whom to take the snapshot from: a healthy voting follower, else the leader, else a member that can still be read.
 *
 * A follower, because sending a large file costs the sender heartbeats (etcd-io/etcd#13913). Never a learner, a member with
 * the CORRUPT alarm, or one that lags: its snapshot would be old or wrong. A full database (NOSPACE) is worse to take from
 * but never a reason to go without a backup, and neither is a lost quorum.
 *
 * @param shunned endpoints that are not to be taken from, each with the reason
 */
export function chooseMember(view: ClusterView, shunned: ReadonlyMap<string, string> = new Map()): MemberChoice {
  const newest = Math.max(0, ...view.members.map((member) => (member.reachable ? member.status.raftAppliedIndex : 0)));
  const judged = view.members.map((member) => ({ member, judgement: judge(member, newest, shunned.get(member.endpoint)) }));
  const best = judged
    .flatMap(({ member, judgement }) => (member.reachable && judgement.fit ? [{ member, judgement }] : []))
    .sort((a, b) => a.judgement.rank - b.judgement.rank || b.member.status.raftAppliedIndex - a.member.status.raftAppliedIndex)[0];
  return {
    judgements: judged.map(({ judgement }) => judgement),
    chosen: best && {
      endpoint: best.member.endpoint,
      status: best.member.status,
      leader: isLeader(best.member.status),
      because: best.judgement.because,
    },
  };
}

function judge(member: MemberView, newest: number, shunnedBecause: string | undefined): Judgement {
  const { endpoint } = member;
  const unfit = (because: string): Judgement => ({ endpoint, fit: false, because });
  const fit = (rank: number, because: string): Judgement => ({ endpoint, fit: true, rank, because });

  if (!member.reachable) return unfit(`unreachable: ${member.because}`);
  if (shunnedBecause !== undefined) return unfit(shunnedBecause);
  const { status } = member;
  const lag = newest - status.raftAppliedIndex;
  if (status.isLearner) return unfit('is a learner: it does not vote and may not have caught up');
  if (status.alarms.includes('CORRUPT')) return unfit('has the CORRUPT alarm: its data differs from the other members');
  if (lag > MAX_LAG) return unfit(`lags ${lag} raft entries behind (more than ${MAX_LAG})`);
  if (status.alarms.includes('NOSPACE')) return fit(2, 'has the NOSPACE alarm, and nobody better answered');
  if (!knowsLeader(status)) return fit(3, 'knows no leader: quorum is lost, and its own data is the best there is');
  return isLeader(status) ? fit(1, 'is the leader, and no follower is fit') : fit(0, 'is a healthy voting follower');
}
