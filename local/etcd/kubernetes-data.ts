import type { Etcd3 } from 'etcd3';
import { clientOf } from './client';
import type { EtcdCluster } from './cluster';
import type { KubernetesObject } from './kubernetes-objects';
import { kubernetesObject } from './kubernetes-objects';

export interface SeedOptions {
  /** About the size that each member's database gets, in MB (10⁶). @default 100 */
  readonly megabytes?: number;
  /** Decides the content of every object; which revision it gets also depends on the machine. @default 1 */
  readonly seed?: number;
  /** Life of the leases that events hang on: by default they outlive any test. @default 86400 */
  readonly leaseSeconds?: number;
}

/** What was written; `objects` of them are alive at `revision`. */
export interface SeedReport {
  readonly objects: number;
  readonly puts: number;
  readonly deletes: number;
  readonly bytes: number;
  readonly revision: number;
  readonly compactRevision: number;
  readonly seconds: number;
}

/** etcd's limits are 128 operations and 1.5 MiB a request (--max-txn-ops, --max-request-bytes). */
const MOST_OPERATIONS = 100;
const MOST_BYTES = 700_000;
const PARALLEL = 16;
/** Measured: what bbolt's pages and etcd's own fields add to keys and values. */
const DATABASE_OVERHEAD = 1.13;
/** The first part is made once; then objects change and go, with a compaction in between. */
const SHARES = { made: 0.8, changed: 0.9 } as const;
const EVENTS_PER_LEASE = 500;

type Operation = { readonly put: KubernetesObject } | { readonly remove: string };
const sizeOf = (operation: Operation): number => ('put' in operation ? operation.put.key.length + operation.put.value.length : 100);

/** Writes operations in batches, several at a time. */
class Writer {
  puts = 0;
  deletes = 0;
  bytes = 0;
  private batch: Operation[] = [];
  private batchBytes = 0;
  private mostOperations = MOST_OPERATIONS;
  private leased = 0;
  private lease: Promise<string> | undefined;
  private readonly underway = new Set<Promise<void>>();

  constructor(
    private readonly etcd: Etcd3,
    private readonly leaseSeconds: number,
  ) {}

  /** From now on one operation per revision, as the API server writes; batches are only for the bulk. */
  async endBatches(): Promise<void> {
    await this.flush();
    this.mostOperations = 1;
  }

  async write(operation: Operation): Promise<void> {
    const size = sizeOf(operation);
    if (this.batch.length >= this.mostOperations || this.batchBytes + size > MOST_BYTES) await this.send();
    this.batch.push(operation);
    this.batchBytes += size;
    this.bytes += size;
  }

  /** Waits until all that was written is in etcd. */
  async flush(): Promise<void> {
    await this.send();
    await Promise.all(this.underway);
  }

  private async send(): Promise<void> {
    const operations = this.batch;
    this.batch = [];
    this.batchBytes = 0;
    if (operations.length === 0) return;
    while (this.underway.size >= PARALLEL) await Promise.race(this.underway);
    const sent: Promise<void> = this.commit(operations).finally(() => this.underway.delete(sent));
    this.underway.add(sent);
  }

  private async commit(operations: readonly Operation[]): Promise<void> {
    const success = [];
    for (const operation of operations) {
      if ('remove' in operation) {
        this.deletes++;
        success.push({ request_delete_range: { key: Buffer.from(operation.remove) } });
      } else {
        const { key, value, leased } = operation.put;
        this.puts++;
        success.push({ request_put: { key: Buffer.from(key), value, ...(leased && { lease: await this.leaseForOne() }) } });
      }
    }
    await this.etcd.kv.txn({ compare: [], success, failure: [] });
  }

  /** The API server too lets many short-lived objects share one lease. */
  private leaseForOne(): Promise<string> {
    if (this.lease === undefined || this.leased++ % EVENTS_PER_LEASE === 0)
      this.lease = this.etcd.leaseClient.leaseGrant({ TTL: this.leaseSeconds }).then(({ ID }) => ID);
    return this.lease;
  }
}

/** Every tenth object goes, every third changes, in an order that follows from its number. */
async function change(writer: Writer, seed: number, objects: number, version: number, limit: number): Promise<number> {
  let removed = 0;
  for (let index = version; index < objects && writer.bytes < limit; index += 3) {
    // Never the first ones: one of each resource stays alive.
    if (index % 10 === version && index > 100) {
      await writer.write({ remove: kubernetesObject(seed, index).key });
      removed++;
    } else await writer.write({ put: kubernetesObject(seed, index, version) });
  }
  await writer.flush();
  return removed;
}

async function revisionOf(etcd: Etcd3): Promise<number> {
  const { header } = await etcd.kv.range({ key: Buffer.from('/registry/'), count_only: true });
  return Number(header.revision);
}

/**
 * Fills a cluster with data as the API server would: more than thirty resources, leases, history, tombstones and one
 * compaction that left some of the history behind.
 */
export async function seedKubernetesData(
  cluster: Pick<EtcdCluster, 'endpoints' | 'credentials'>,
  { megabytes = 100, seed = 1, leaseSeconds = 86_400 }: SeedOptions = {},
): Promise<SeedReport> {
  const begin = performance.now();
  const etcd = clientOf(cluster);
  const writer = new Writer(etcd, leaseSeconds);
  const target = (megabytes * 1e6) / DATABASE_OVERHEAD;
  try {
    let made = 0;
    for (; writer.bytes < target * SHARES.made || made < 200; made++) await writer.write({ put: kubernetesObject(seed, made) });
    await writer.endBatches();
    let removed = await change(writer, seed, made, 1, target * SHARES.changed);
    const compactRevision = await revisionOf(etcd);
    await etcd.kv.compact({ revision: String(compactRevision), physical: true });
    removed += await change(writer, seed, made, 2, target);
    const revision = await revisionOf(etcd);
    const seconds = (performance.now() - begin) / 1000;
    return { objects: made - removed, puts: writer.puts, deletes: writer.deletes, bytes: writer.bytes, revision, compactRevision, seconds };
  } finally {
    etcd.close();
  }
}
