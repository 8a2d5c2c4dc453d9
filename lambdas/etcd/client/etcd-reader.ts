import { Etcd3 } from 'etcd3';
import type { IMemberListResponse, IStatusResponse } from 'etcd3';
import type { EtcdClientSecret } from '../../contract/secrets';
import type { ClusterView, EtcdReader, MemberStatus, MemberView } from '../cluster-view';
import { EtcdTlsRefused, EtcdUnreachable } from '../errors';
import { openHashKv } from './hash-kv-call';
import { streamSnapshot } from './snapshot-stream';
import { diagnoseTls } from './tls-diagnosis';

const CALL_MS = 5_000;
/** HashKV reads the whole key space up to the revision: seconds per GiB on a slow disk. */
const HASH_MS = 120_000;
/** Opens one client per endpoint: each member is asked for itself, never a balanced cluster. */
export function openEtcd(endpoints: readonly string[], secret: EtcdClientSecret): EtcdReader {
  const credentials = { rootCertificate: Buffer.from(secret.ca), certChain: Buffer.from(secret.cert), privateKey: Buffer.from(secret.key) };
  const clients = new Map(endpoints.map((endpoint) => [endpoint, new Etcd3({ hosts: endpoint, credentials })]));
  const hashers = new Map(endpoints.map((endpoint) => [endpoint, openHashKv(endpoint, secret)]));
  const of = <T>(doors: ReadonlyMap<string, T>, endpoint: string): T => {
    const door = doors.get(endpoint);
    if (!door) throw new EtcdUnreachable(`${endpoint} is not one of the configured endpoints ${endpoints.join(', ')}`);
    return door;
  };
  const failure = async (endpoint: string, error: unknown): Promise<EtcdTlsRefused | EtcdUnreachable> => {
    const { kind, because } = await diagnoseTls(endpoint, secret, new Date());
    const message = `${endpoint}: ${because}`;
    return kind === 'tls' ? new EtcdTlsRefused(message, { cause: error }) : new EtcdUnreachable(message, { cause: error });
  };
  return {
    gather: () => gather(clients, failure),
    hashKv: async (endpoint, revision) => of(hashers, endpoint).call(revision, HASH_MS),
    snapshot: (endpoint, signal) => streamSnapshot(endpoint, secret, signal),
    close: () => [...clients.values(), ...hashers.values()].forEach((door) => door.close()),
  };
}

const deadline = (ms: number) => ({ deadline: Date.now() + ms });
const hex = (id: string): string => BigInt(id).toString(16);

async function gather(
  clients: ReadonlyMap<string, Etcd3>,
  failure: (endpoint: string, error: unknown) => Promise<EtcdTlsRefused | EtcdUnreachable>,
): Promise<ClusterView> {
  let votingMembers = 0;
  const view = async ([endpoint, client]: [string, Etcd3]): Promise<MemberView> => {
    try {
      // Without `linearizable` the list is the member's own and needs no quorum: it must answer on the worst day.
      const [status, list] = await Promise.all([
        client.maintenance.status(deadline(CALL_MS)),
        client.cluster.memberList({}, deadline(CALL_MS)),
      ]);
      votingMembers = Math.max(votingMembers, list.members.filter((member) => !member.isLearner).length);
      return { endpoint, reachable: true, status: toStatus(status, list) };
    } catch (error) {
      const named = await failure(endpoint, error);
      return { endpoint, reachable: false, because: named.message, kind: named instanceof EtcdTlsRefused ? 'tls' : 'network' };
    }
  };
  const members = await Promise.all([...clients].map(view));
  return { members, votingMembers };
}

function toStatus(status: IStatusResponse, list: IMemberListResponse): MemberStatus {
  const id = status.header.member_id;
  return {
    id: hex(id),
    name: list.members.find((member) => member.ID === id)?.name ?? '',
    clusterId: hex(status.header.cluster_id),
    version: status.version,
    leaderId: hex(status.leader),
    isLearner: status.isLearner,
    dbSize: Number(status.dbSize),
    revision: Number(status.header.revision),
    raftIndex: Number(status.raftIndex),
    raftAppliedIndex: Number(status.raftAppliedIndex),
    alarms: alarmsOf(id, status.errors),
  };
}

/**
 * Alarms as `Status` lists them, `memberID:<decimal> alarm:NOSPACE` (etcd server/etcdserver/api/v3rpc/maintenance.go).
 * The Alarm call itself goes through raft, so it would hang without quorum and write without need.
 */
function alarmsOf(memberId: string, errors: readonly string[]): ('NOSPACE' | 'CORRUPT')[] {
  return errors.flatMap((text) => {
    const match = /memberID:(\d+) alarm:(NOSPACE|CORRUPT)/.exec(text);
    return match?.[1] === memberId ? [match[2] === 'CORRUPT' ? 'CORRUPT' : 'NOSPACE'] : [];
  });
}
