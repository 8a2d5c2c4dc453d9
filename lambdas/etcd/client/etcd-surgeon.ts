import { Etcd3 } from 'etcd3';
import type { EtcdClientSecret } from '../../contract/secrets';
import { EtcdUnreachable } from '../errors';
import { resourceOf } from '../snapshot/resource-of';
import type { CountedObjects, EtcdSurgeon, ListedMember } from '../surgeon';

const CALL_MS = 10_000;
/** Keys are below 512 bytes, so that a page is about a megabyte. */
const PAGE = 5_000;
const END = Buffer.from([0]);

/** Opens one client per endpoint, and one over all of them for what any member can do. */
export function openSurgeon(endpoints: readonly string[], secret: EtcdClientSecret): EtcdSurgeon {
  const credentials = { rootCertificate: Buffer.from(secret.ca), certChain: Buffer.from(secret.cert), privateKey: Buffer.from(secret.key) };
  const clients = new Map(endpoints.map((endpoint) => [endpoint, new Etcd3({ hosts: endpoint, credentials })]));
  const everybody = new Etcd3({ hosts: [...endpoints], credentials });
  const clientOf = (endpoint: string): Etcd3 => {
    const client = clients.get(endpoint);
    if (client === undefined) throw new EtcdUnreachable(`${endpoint} is not one of the endpoints ${endpoints.join(', ')}`);
    return client;
  };
  return {
    countObjects: (endpoint) => countObjects(clientOf(endpoint)),
    memberList: async (endpoint) => {
      const { members } = await clientOf(endpoint).cluster.memberList({}, { deadline: Date.now() + CALL_MS });
      return members.map(({ ID, name, peerURLs, clientURLs, isLearner }): ListedMember => ({
        id: BigInt(ID).toString(16),
        name,
        peerUrls: peerURLs,
        clientUrls: clientURLs,
        isLearner,
      }));
    },
    deletePrefix: async (prefix) => {
      const { deleted } = await everybody
        .delete()
        .prefix(prefix)
        .options({ deadline: Date.now() + CALL_MS });
      return Number(deleted);
    },
    close: () => [...clients.values(), everybody].forEach((client) => client.close()),
  };
}

async function countObjects({ kv }: Etcd3): Promise<CountedObjects> {
  const counts = new Map<string, number>();
  let revision = 0;
  let key: Buffer = END;
  for (;;) {
    const page = await kv.range(
      // All pages at the revision of the first one; a range to "\0" is everything behind its key.
      { key, range_end: END, limit: PAGE, keys_only: true, serializable: true, ...(revision > 0 && { revision: String(revision) }) },
      { deadline: Date.now() + CALL_MS },
    );
    revision = revision === 0 ? Number(page.header.revision) : revision;
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
