import { EtcdTlsRefused, EtcdUnreachable } from '../etcd/errors';
import type { ClusterView } from '../etcd/cluster-view';
import type { Judgement } from './choose-member';
import { NoHealthyMember } from './errors';

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
