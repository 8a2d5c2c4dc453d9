import { Readable } from 'node:stream';
import { Etcd3 } from 'etcd3';
import type { IMemberListResponse, IStatusResponse } from 'etcd3';
import type { EtcdClientSecret } from '../../contract/secrets';
import { messageOf } from '../../contract/lifeboat-error';
import type { ClusterView, EtcdReader, MemberStatus, MemberView } from '../cluster-view';
import { EtcdTlsRefused, EtcdUnreachable, SnapshotStreamBroken } from '../errors';
import { openHashKv } from './hash-kv-call';
import { diagnoseTls } from './tls-diagnosis';

const CALL_MS = 5_000;
/** HashKV reads the whole key space up to the revision: seconds per GiB on a slow disk. */
const HASH_MS = 120_000;
/** A member that sends nothing for this long is taken for dead; etcd itself warns about streams slower than 100 MB/s. */
const STALL_MS = 30_000;

/**
 * The bigger HTTP/2 window lets one stream run at disk speed instead of one 64 KiB window a round trip (RFC 9113 §6.9.2);
 * a snapshot message is 32 KiB, but a server may choose otherwise.
 */
const CHANNEL = {
  'grpc.max_receive_message_length': -1,
  'grpc-node.flow_control_window': 8 * 1024 * 1024,
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

/** Opens one client per endpoint: each member is asked for itself, never a balanced cluster. */
export function openEtcd(endpoints: readonly string[], secret: EtcdClientSecret): EtcdReader {
  const credentials = { rootCertificate: Buffer.from(secret.ca), certChain: Buffer.from(secret.cert), privateKey: Buffer.from(secret.key) };
  const clients = new Map(endpoints.map((endpoint) => [endpoint, new Etcd3({ hosts: endpoint, credentials, grpcOptions: CHANNEL })]));
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
    snapshot: (endpoint, signal) => snapshot(of(clients, endpoint), endpoint, signal),
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

async function* snapshot(client: Etcd3, endpoint: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stream: unknown = await client.maintenance.snapshot().catch((error: unknown) => {
    throw new SnapshotStreamBroken(`${endpoint} did not open a snapshot stream: ${messageOf(error)}`, { cause: error });
  });
  if (!(stream instanceof Readable)) throw new SnapshotStreamBroken(`${endpoint}: the client gave no readable snapshot stream`);
  let bytes = 0;
  const broken = (why: string, cause?: unknown) =>
    new SnapshotStreamBroken(`the snapshot stream of ${endpoint} broke off after ${bytes} bytes: ${why}`, { cause });
  const stall = setTimeout(() => stream.destroy(broken(`nothing arrived for ${STALL_MS / 1000} s`)), STALL_MS);
  const stop = () => stream.destroy(broken(messageOf(signal.reason), signal.reason));
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    for await (const message of stream as AsyncIterable<unknown>) {
      stall.refresh();
      const blob = blobOf(message);
      bytes += blob.length;
      yield blob;
    }
  } catch (error) {
    throw error instanceof SnapshotStreamBroken ? error : broken(messageOf(error), error);
  } finally {
    clearTimeout(stall);
    signal.removeEventListener('abort', stop);
    stream.destroy();
  }
}

function blobOf(message: unknown): Uint8Array {
  if (typeof message === 'object' && message !== null && 'blob' in message && message.blob instanceof Uint8Array) return message.blob;
  throw new TypeError('a snapshot message without a blob');
}
