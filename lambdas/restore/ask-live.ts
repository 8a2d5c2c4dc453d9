import { knowsLeader } from '../etcd/cluster-view';
import type { EtcdReader } from '../etcd/cluster-view';
import type { EtcdSurgeon } from '../etcd/surgeon';
import type { LiveCluster } from './plan';

/**
 * What the live cluster still says: how far it has come and what a restore would take from it. Closes both doors.
 *
 * @throws the error of the one member that was asked, when it fails after it had answered
 */
export async function askLive(etcd: EtcdReader, surgeon: EtcdSurgeon): Promise<LiveCluster> {
  try {
    const { members } = await etcd.gather();
    const answering = members.flatMap((member) => (member.reachable ? [member] : []));
    const furthest = answering.toSorted((a, b) => b.status.revision - a.status.revision)[0];
    if (furthest === undefined) return {};
    const { endpoint } = furthest;
    const [{ inventory, revision }, list] = await Promise.all([surgeon.countObjects(endpoint), surgeon.memberList(endpoint)]);
    // Without a leader the list may be of members that are gone for good, and none could be removed from it.
    const led = answering.some(({ status }) => knowsLeader(status));
    return { inventory, revision: Math.max(revision, furthest.status.revision), ...(led && { members: list }) };
  } finally {
    etcd.close();
    surgeon.close();
  }
}
