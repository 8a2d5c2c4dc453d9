import { renameSync } from 'node:fs';
import type { EtcdBinaries } from '../test/support/etcd-binaries';
import { EtcdMember, message } from '../test/support/etcd-member';

interface Kind {
  readonly prefix: string;
  readonly namespaced: boolean;
  readonly share: number;
  /** Smallest and largest value in bytes; sizes in between are skewed to the small side. */
  readonly bytes: readonly [number, number];
}

// Shares and sizes of a busy general-purpose cluster: many events, leases and slices, fat pods, a few huge config maps.
const KINDS: readonly Kind[] = [
  { prefix: 'pods', namespaced: true, share: 30, bytes: [3_000, 9_000] },
  { prefix: 'events', namespaced: true, share: 25, bytes: [500, 1_200] },
  { prefix: 'replicasets', namespaced: true, share: 10, bytes: [1_500, 4_000] },
  { prefix: 'endpointslices', namespaced: true, share: 8, bytes: [700, 9_000] },
  { prefix: 'services/specs', namespaced: true, share: 5, bytes: [600, 1_500] },
  { prefix: 'configmaps', namespaced: true, share: 6, bytes: [300, 60_000] },
  { prefix: 'secrets', namespaced: true, share: 8, bytes: [400, 30_000] },
  { prefix: 'leases', namespaced: true, share: 3, bytes: [350, 450] },
  { prefix: 'minions', namespaced: false, share: 1, bytes: [8_000, 16_000] },
  { prefix: 'example.com/widgets', namespaced: true, share: 4, bytes: [800, 6_000] },
];
const POOL_BYTES = 1 << 22;
const TXN_BYTES = 1_000_000;
const IN_FLIGHT = 6;

/** mulberry32: the same file shape on every machine. */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function objects(next: () => number): () => { key: Buffer; value: Buffer } {
  const pool = Buffer.alloc(POOL_BYTES);
  for (let i = 0; i < pool.length; i++) pool[i] = next() * 256;
  const total = KINDS.reduce((sum, kind) => sum + kind.share, 0);
  return () => {
    let pick = next() * total;
    const kind = KINDS.find((candidate) => (pick -= candidate.share) < 0) ?? KINDS[0];
    if (kind === undefined) throw new Error('no kinds');
    const [low, high] = kind.bytes;
    const size = Math.floor(low + (high - low) * next() ** 3);
    const start = Math.floor(next() * (POOL_BYTES - size));
    const name = `${kind.prefix.replace(/\W/g, '-')}-${Math.floor(next() * 2 ** 40).toString(36)}`;
    const key = `/registry/${kind.prefix}/${kind.namespaced ? `team-${Math.floor(next() * 200)}/` : ''}${name}`;
    return { key: Buffer.from(key), value: Buffer.concat([Buffer.from('k8s\0\n'), pool.subarray(start, start + size)]) };
  };
}

const put = (key: Buffer, value: Buffer) => message([2, message([2, message([1, key], [2, value])])]);
const remove = (key: Buffer) => message([2, message([3, message([1, key])])]);

/**
 * Makes a snapshot of about `megabytes` MB by filling a real etcd in the shape of Kubernetes: new objects, updates of
 * older ones, deletions, and a compaction at four fifths of the way, as an API server asks for every five minutes.
 */
export async function makeKubernetesShapedSnapshot(binaries: EtcdBinaries, megabytes: number, target: string): Promise<void> {
  const member = await EtcdMember.start(binaries);
  try {
    const next = random(500);
    const make = objects(next);
    const keys: Buffer[] = [];
    let requests: { key: string; op: Buffer }[] = [];
    let pending: Promise<unknown>[] = [];
    // bbolt pages of a filling database are about 85% full of entries.
    const goal = megabytes * 1e6 * 0.85;
    let compacted = false;
    let sent = 0;
    for (let batch = 0; sent < goal;) {
      const object = make();
      const chance = next();
      const old = keys[Math.floor(next() * keys.length)];
      if (chance < 0.1 && old !== undefined) requests.push({ key: old.toString(), op: put(old, object.value) });
      else if (chance < 0.13 && old !== undefined) requests.push({ key: old.toString(), op: remove(old) });
      else requests.push({ key: object.key.toString(), op: put(object.key, object.value) });
      if (chance >= 0.13) keys.push(object.key);
      if (chance < 0.1 || chance >= 0.13) batch += object.value.length;
      if (batch < TXN_BYTES / 4) continue;
      const unique = new Map(requests.map((request) => [request.key, request.op]));
      pending.push(member.call('KV/Txn', Buffer.concat([...unique.values()])));
      sent += batch;
      batch = 0;
      requests = [];
      if (pending.length >= IN_FLIGHT) {
        await Promise.all(pending);
        pending = [];
      }
      if (!compacted && sent > goal * 0.8) {
        compacted = true;
        await Promise.all(pending);
        await member.compact(await revisionOf(member));
      }
    }
    await Promise.all(pending);
    await member.snapshot(`${target}.partial`);
    renameSync(`${target}.partial`, target);
  } finally {
    await member.stop();
  }
}

async function revisionOf(member: EtcdMember): Promise<number> {
  const printed = await member.etcdctl('get', 'none', '-w', 'json');
  return Number(/"revision":(\d+)/.exec(printed)?.[1]);
}
