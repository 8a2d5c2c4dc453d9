import type { AskedPort, EtcdLook, PortLook } from '../contract/exchange-looks';
import { messageOf } from '../contract/lifeboat-error';
import { knowsLeader } from '../etcd/cluster-view';
import type { ClusterView } from '../etcd/cluster-view';
import { answerOf } from '../kubernetes/api-answer';
import { acceptableAuthorities } from '../ports/acceptable-authorities';

/** What every port serves and accepts, out of its memory, by a fresh handshake without a credential. Never throws. */
export const lookAtAuthorities = (ports: readonly AskedPort[]): Promise<PortLook[]> =>
  Promise.all(
    ports.map(async (asked): Promise<PortLook> => {
      const { host, port, component } = asked;
      const [seen, answer] = await Promise.all([
        acceptableAuthorities({ host, port }).catch((error: unknown) => ({ because: messageOf(error) })),
        component === 'apiserver' ? answerOf({ host, port }, host) : undefined,
      ]);
      const ready = answer && { ready: answer.answers && answer.status !== 500 };
      if ('because' in seen) return { ...asked, ...ready, chain: [], because: seen.because };
      const { chain, authorities } = seen;
      return { ...asked, ...ready, chain: [...chain], ...(authorities && { acceptable: authorities.map(({ text }) => text) }) };
    }),
  );

/** @param metrics gives what a member tells at /metrics, by its client URL */
export async function lookAtEtcd(
  { members, votingMembers }: ClusterView,
  metrics: (endpoint: string) => Promise<string | undefined>,
): Promise<EtcdLook> {
  const reached = members.filter((member) => member.reachable);
  const voters = reached.filter(({ status }) => !status.isLearner);
  const others = Math.max(votingMembers, members.length) - 1;
  const peers = await Promise.all(reached.map(async ({ endpoint }) => activePeersIn((await metrics(endpoint)) ?? '')));
  return {
    voters: votingMembers,
    healthy: voters.filter(({ status }) => knowsLeader(status)).length,
    learners: reached.length - voters.length,
    activePeersOk: reached.length === members.length && peers.every((count) => count === others),
  };
}

/** `etcd_network_active_peers{Local="…",Remote="…"} 1`: etcd server/etcdserver/api/rafthttp/metrics.go */
export const activePeersIn = (text: string): number | undefined => {
  const values = [...text.matchAll(/^etcd_network_active_peers\{[^}]*\} (\d+)$/gm)].map(([, value]) => Number(value));
  if (text === '') return undefined;
  return values.filter((value) => value > 0).length;
};
