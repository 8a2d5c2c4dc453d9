import { EtcdTlsRefused, EtcdUnreachable } from '../etcd/errors';
import type { ClusterView } from '../etcd/cluster-view';
import type { Judgement } from './choose-member';
import { EndpointsDisagree, NoHealthyMember } from './errors';

/**
 * Endpoints of two clusters in one config, or a cluster that was restored on some members only: whatever was taken from them would
 * not be a backup of the one that was meant.
 *
 * @throws EndpointsDisagree naming each endpoint with the cluster it belongs to
 */
export function refuseMixedClusters(view: ClusterView): void {
  const found = view.members.flatMap(({ endpoint, ...member }) =>
    member.reachable ? [{ endpoint, clusterId: member.status.clusterId }] : [],
  );
  if (new Set(found.map(({ clusterId }) => clusterId)).size < 2) return;
  const each = found.map(({ endpoint, clusterId }) => `${endpoint} to ${clusterId}`).join(', ');
  throw new EndpointsDisagree(`the endpoints belong to different etcd clusters (${each}): correct etcd.endpoints and deploy again`);
}

/** Names the one thing to repair: nobody answers, TLS is refused everywhere, or those who answer are unfit. */
export function noMemberError(view: ClusterView, judgements: readonly Judgement[]): EtcdTlsRefused | EtcdUnreachable | NoHealthyMember {
  const down = view.members.flatMap((member) => (member.reachable ? [] : [member]));
  const reasons = down.map(({ because }) => because).join('; ');
  if (down.length < view.members.length) {
    return new NoHealthyMember(
      `no member is fit to take a snapshot from: ${judgements.map(({ endpoint, because }) => `${endpoint} ${because}`).join('; ')}`,
    );
  }
  // A refused handshake is the better clue: the other endpoints may be down for the same expired certificates.
  return down.some(({ kind }) => kind === 'tls')
    ? new EtcdTlsRefused(`etcd is there, but TLS is refused: ${reasons}`)
    : new EtcdUnreachable(`no etcd member can be reached: ${reasons}`);
}
