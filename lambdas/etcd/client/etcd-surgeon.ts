import { Etcd3 } from 'etcd3';
import type { IMember } from 'etcd3';
import type { EtcdClientSecret } from '../../contract/secrets';
import { messageOf } from '../../contract/lifeboat-error';
import { EtcdUnreachable } from '../errors';
import { resourceOf } from '../snapshot/resource-of';
import type { AddedMember, CountedObjects, EtcdSurgeon, ListedMember, PromotedMember, Refused, RemovedMember } from '../surgeon';
import { alreadyDone, refusalOf } from './member-errors';
import { openLeaders } from './through-leader';

const CALL_MS = 10_000;
/** Longer than etcd itself waits for a majority: 5 s and two elections, 7 s by default (etcd server/config, ReqTimeout). */
const CHANGE_MS = 15_000;
/** Keys are below 512 bytes, so that a page is about a megabyte. */
const PAGE = 5_000;
const END = Buffer.from([0]);

/** What changes something goes through a member that has a leader. */
export function openSurgeon(endpoints: readonly string[], secret: EtcdClientSecret): EtcdSurgeon {
  const credentials = { rootCertificate: Buffer.from(secret.ca), certChain: Buffer.from(secret.cert), privateKey: Buffer.from(secret.key) };
  const leaders = openLeaders(endpoints, secret);
  // A client of its own for each question: etcd3 keeps away for 5 s from a member that refused three times, whatever is asked next.
  const ask = async <T>(endpoint: string, question: (client: Etcd3) => Promise<T>): Promise<T> => {
    if (!endpoints.includes(endpoint)) throw new EtcdUnreachable(`${endpoint} is not one of the endpoints ${endpoints.join(', ')}`);
    const client = new Etcd3({ hosts: endpoint, credentials });
    try {
      return await question(client);
    } finally {
      client.close();
    }
  };
  const throughLeader = <T>(change: (client: Etcd3) => Promise<T>): Promise<T> => leaders.through((endpoint) => ask(endpoint, change));
  return {
    countObjects: (endpoint, atMost) => ask(endpoint, (client) => countObjects(client, atMost)),
    memberList: (endpoint, linearizable = false) => ask(endpoint, (client) => memberList(client, linearizable)),
    deletePrefix: (prefix) => throughLeader((client) => deletePrefix(client, prefix)),
    memberRemove: (id) => judged(() => throughLeader((client) => memberRemove(client, id))),
    memberAddAsLearner: (peerUrls) => judged(() => throughLeader((client) => memberAdd(client, peerUrls))),
    memberPromote: (id) => judged(() => throughLeader((client) => memberPromote(client, id))),
    close: () => leaders.close(),
  };
}

async function deletePrefix(client: Etcd3, prefix: string): Promise<number> {
  const { deleted } = await client.delete().prefix(prefix).options(within());
  return Number(deleted);
}

const within = () => ({ deadline: Date.now() + CHANGE_MS });
const decimal = (id: string): string => BigInt(`0x${id}`).toString();
const listed = ({ ID, name, peerURLs, clientURLs, isLearner }: IMember): ListedMember => ({
  id: BigInt(ID).toString(16),
  name,
  peerUrls: peerURLs,
  clientUrls: clientURLs,
  isLearner,
});

/** What etcd refuses becomes an outcome; what says nothing about the change is thrown. */
async function judged<T>(change: () => Promise<T>): Promise<T | Refused> {
  try {
    return await change();
  } catch (error) {
    const because = messageOf(error);
    const refused = error instanceof EtcdUnreachable ? ({ outcome: 'refused', why: 'no-quorum', because } as const) : refusalOf(because);
    if (refused === undefined) throw error;
    return refused;
  }
}

async function memberList({ cluster }: Etcd3, linearizable: boolean): Promise<readonly ListedMember[]> {
  const { members } = await cluster.memberList({ linearizable }, { deadline: Date.now() + CALL_MS });
  return members.map(listed);
}

async function memberRemove({ cluster }: Etcd3, id: string): Promise<RemovedMember> {
  try {
    await cluster.memberRemove({ ID: decimal(id) }, within());
    return { outcome: 'removed' };
  } catch (error) {
    if (alreadyDone('remove', messageOf(error))) return { outcome: 'already-gone' };
    throw error;
  }
}

async function memberAdd(client: Etcd3, peerUrls: readonly string[]): Promise<AddedMember> {
  try {
    const { member } = await client.cluster.memberAdd({ peerURLs: [...peerUrls], isLearner: true }, within());
    return { outcome: 'added', member: listed(member) };
  } catch (error) {
    if (!alreadyDone('add', messageOf(error))) throw error;
    const same = (await memberList(client, true)).find((member) => sameUrls(member.peerUrls, peerUrls));
    if (same === undefined) throw error;
    return { outcome: 'already-added', member: same };
  }
}

async function memberPromote({ cluster }: Etcd3, id: string): Promise<PromotedMember> {
  try {
    await cluster.memberPromote({ ID: decimal(id) }, within());
    return { outcome: 'promoted' };
  } catch (error) {
    if (alreadyDone('promote', messageOf(error))) return { outcome: 'already-voting' };
    throw error;
  }
}

const sameUrls = (a: readonly string[], b: readonly string[]): boolean => a.toSorted().join(',') === b.toSorted().join(',');

/** @param atMost not what was written after this revision, where the member has come further */
async function countObjects({ kv }: Etcd3, atMost = Infinity): Promise<CountedObjects> {
  const counts = new Map<string, number>();
  const newest = await kv.range({ key: END, count_only: true, serializable: true }, { deadline: Date.now() + CALL_MS });
  const revision = Math.min(atMost, Number(newest.header.revision));
  let key: Buffer = END;
  for (;;) {
    const page = await kv.range(
      // All pages at one revision; a range to "\0" is everything behind its key.
      { key, range_end: END, limit: PAGE, keys_only: true, serializable: true, revision: String(revision) },
      { deadline: Date.now() + CALL_MS },
    );
    for (const { key: found } of page.kvs) {
      const resource = resourceOf(found.toString('latin1'));
      counts.set(resource, (counts.get(resource) ?? 0) + 1);
    }
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) break;
    key = Buffer.concat([last.key, END]);
  }
  return { revision, inventory: Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))) };
}
