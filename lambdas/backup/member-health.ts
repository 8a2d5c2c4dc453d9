import { knowsLeader } from '../etcd/cluster-view';
import type { ClusterView, MemberStatus, QuotaReader } from '../etcd/cluster-view';

export interface MemberHealth {
  /** Voting members that answer and know a leader. */
  readonly healthy: number;
  /** As the cluster itself counts them; 0 when nobody answered. */
  readonly voting: number;
  /** Endpoints without an answer. */
  readonly unreachable: number;
  /** Whether more than half of the voting members are healthy. */
  readonly quorum: boolean;
}

export function healthOf({ members, votingMembers }: ClusterView): MemberHealth {
  // By id: two endpoints may lead to one member.
  const healthy = new Set(statusesOf({ members }).flatMap((status) => (knowsLeader(status) && !status.isLearner ? [status.id] : []))).size;
  const unreachable = members.filter((member) => !member.reachable).length;
  return { healthy, voting: votingMembers, unreachable, quorum: votingMembers > 0 && healthy * 2 > votingMembers };
}

/** How full the databases are: the largest, and the percentage of its quota that the fullest takes. */
export function databaseOf(view: ClusterView): { readonly bytes?: number; readonly quotaPercent?: number } {
  const statuses = statusesOf(view);
  const quotas = statuses.flatMap(({ dbSize, dbQuota }) => (dbQuota === undefined ? [] : [(dbSize / dbQuota) * 100]));
  return {
    ...(statuses.length > 0 && { bytes: Math.max(...statuses.map(({ dbSize }) => dbSize)) }),
    ...(quotas.length > 0 && { quotaPercent: Math.max(...quotas) }),
  };
}

export const statusesOf = ({ members }: Pick<ClusterView, 'members'>): MemberStatus[] =>
  members.flatMap((member) => (member.reachable ? [member.status] : []));

/** The view with the quotas of members whose status does not tell them. */
export async function withQuotas(view: ClusterView, reader: QuotaReader): Promise<ClusterView> {
  const members = view.members.map(async (member) => {
    if (!member.reachable || member.status.dbQuota !== undefined) return member;
    const dbQuota = await reader.quota(member.endpoint);
    return dbQuota === undefined ? member : { ...member, status: { ...member.status, dbQuota } };
  });
  return { ...view, members: await Promise.all(members) };
}
