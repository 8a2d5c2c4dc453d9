import { hostOf } from '../contract/host-of';
import { knowsLeader } from '../etcd/cluster-view';
import type { ClusterView } from '../etcd/cluster-view';

/**
 * Why the cluster would not survive that one member fails now; undefined when it would. A certificate that does not work costs that member its
 * place, so it is only exchanged where a majority is left without it. One that is away already costs nothing: its certificates may be the reason.
 *
 * @param own where the member of the node listens
 */
export function etcdTooWeak(
  { members, votingMembers }: ClusterView,
  own?: { readonly host: string; readonly port: number },
): string | undefined {
  const healthy = members.filter((member) => member.reachable && !member.status.isLearner && knowsLeader(member.status)).length;
  const away = members.flatMap((member) => (member.reachable ? [] : [member.because]));
  const known = Math.max(votingMembers, members.length);
  const majority = Math.floor(known / 2) + 1;
  // A single member has no others that it could fail: its certificates are exchanged, or they end.
  if (known === 1 && healthy === 1) return undefined;
  const gone = members.some((member) => !member.reachable && own !== undefined && isAt(member.endpoint, own));
  if (healthy - (gone ? 0 : 1) >= majority) return undefined;
  return `${healthy} of ${known} members of etcd are well, and without one more ${majority} would not be left${away.length === 0 ? '' : `: ${away.join('; ')}`}`;
}

function isAt(endpoint: string, { host, port }: { readonly host: string; readonly port: number }): boolean {
  return hostOf(endpoint) === host && Number(new URL(endpoint).port || 443) === port;
}
