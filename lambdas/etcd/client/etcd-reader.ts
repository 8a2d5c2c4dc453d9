import { Etcd3 } from 'etcd3';
import type { EtcdClientSecret } from '../../contract/secrets';
import type { ClusterView, EtcdReader, MemberView, QuotaReader } from '../cluster-view';
import { EtcdTlsRefused, EtcdUnreachable } from '../errors';
import { HASH_KV } from './hash-kv-call';
import { readQuotaMetric } from './quota-metric';
import { streamSnapshot } from './snapshot-stream';
import { STATUS } from './status-call';
import { diagnoseTls } from './tls-diagnosis';
import { openChannel } from './unary-call';
import type { MemberChannel } from './unary-call';

const CALL_MS = 5_000;
/** HashKV reads the whole key space up to the revision: seconds per GiB on a slow disk. */
const HASH_MS = 120_000;

/**
 * Opens one client per endpoint: each member is asked for itself, never a balanced cluster.
 *
 * @param callMs how long a member is waited for that is asked for its status; short where members are just being started
 */
export function openEtcd(endpoints: readonly string[], secret: EtcdClientSecret, callMs = CALL_MS): EtcdReader & QuotaReader {
  const credentials = { rootCertificate: Buffer.from(secret.ca), certChain: Buffer.from(secret.cert), privateKey: Buffer.from(secret.key) };
  const open = (endpoint: string): Doors => ({
    client: new Etcd3({ hosts: endpoint, credentials }),
    channel: openChannel(endpoint, secret),
  });
  const members = new Map(endpoints.map((endpoint) => [endpoint, open(endpoint)]));
  const channelOf = (endpoint: string): MemberChannel => {
    const doors = members.get(endpoint);
    if (!doors) throw new EtcdUnreachable(`${endpoint} is not one of the configured endpoints ${endpoints.join(', ')}`);
    return doors.channel;
  };
  const failure = async (endpoint: string, error?: unknown): Promise<EtcdTlsRefused | EtcdUnreachable | undefined> => {
    const { kind, because } = await diagnoseTls(endpoint, secret, new Date(), callMs);
    if (kind === 'none' && error === undefined) return undefined;
    const message = `${endpoint}: ${because}`;
    return kind === 'tls' ? new EtcdTlsRefused(message, { cause: error }) : new EtcdUnreachable(message, { cause: error });
  };
  return {
    gather: () => gather(members, failure, callMs),
    hashKv: async (endpoint, revision) => channelOf(endpoint).call(HASH_KV, revision, HASH_MS),
    snapshot: (endpoint, signal) => streamSnapshot(endpoint, secret, signal),
    quota: (endpoint) => readQuotaMetric(endpoint, secret, CALL_MS),
    close: () => [...members.values()].forEach(({ client, channel }) => [client, channel].forEach((door) => door.close())),
  };
}

/** Two ways to the same member: etcd3 for what it knows, and calls of our own. */
interface Doors {
  readonly client: Etcd3;
  readonly channel: MemberChannel;
}

async function gather(
  doors: ReadonlyMap<string, Doors>,
  failure: (endpoint: string, error?: unknown) => Promise<EtcdTlsRefused | EtcdUnreachable | undefined>,
  callMs: number,
): Promise<ClusterView> {
  let votingMembers = 0;
  const view = async ([endpoint, { client, channel }]: [string, Doors]): Promise<MemberView> => {
    const unreachable = (named: EtcdTlsRefused | EtcdUnreachable): MemberView => ({
      endpoint,
      reachable: false,
      because: named.message,
      kind: named instanceof EtcdTlsRefused ? 'tls' : 'network',
    });
    // gRPC dials again and again, and leaves the sockets of a handshake that was refused half open: 50 an hour and more in a process that
    // looks every minute. A member whose port refuses a plain handshake is not asked by it.
    const refused = await failure(endpoint);
    if (refused !== undefined) return unreachable(refused);
    try {
      // Without `linearizable` the list is the member's own and needs no quorum: it must answer on the worst day.
      const [status, list] = await Promise.all([
        channel.call(STATUS, undefined, callMs),
        client.cluster.memberList({}, { deadline: Date.now() + callMs }),
      ]);
      votingMembers = Math.max(votingMembers, list.members.filter((member) => !member.isLearner).length);
      const name = list.members.find(({ ID }) => BigInt(ID).toString(16) === status.id)?.name ?? '';
      return { endpoint, reachable: true, status: { ...status, name } };
    } catch (error) {
      return unreachable((await failure(endpoint, error)) ?? new EtcdUnreachable(`${endpoint}: it does not answer`, { cause: error }));
    }
  };
  const members = await Promise.all([...doors].map(view));
  return { members, votingMembers };
}
