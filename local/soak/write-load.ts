import type { Etcd3 } from 'etcd3';
import { messageOf } from '../../lambdas/contract/lifeboat-error';
import { sleep } from '../child-process';
import { clientOf } from '../etcd/client';
import type { EtcdCluster } from '../etcd/cluster';
import { kubernetesObject } from '../etcd/kubernetes-objects';
import { random } from '../etcd/random';
import type { Random } from '../etcd/random';

/** A write that is not done by then has failed, as it would for the API server. */
const WRITE_MS = 5_000;
const PAUSE_MS = 20;
const AFTER_FAILURE_MS = 200;
/** As the API server: it compacts every five minutes, to where it stood five minutes before. Here time goes faster. */
const COMPACT_EVERY_MS = 10_000;
/** Short enough to end while the soak lasts; given up for another one well before. */
const LEASE_SECONDS = 30;
const LEASED_FOR_MS = 10_000;
const OBJECTS = 3_000;

/** What the load has seen since it was last asked. */
export interface LoadFigures {
  readonly writes: number;
  /** Why each write failed that did. */
  readonly failures: readonly string[];
  readonly slowestMs: number;
}

export interface WriteLoad {
  /** The highest revision that etcd ever answered. */
  readonly revision: number;
  figures(): LoadFigures;
  stop(): Promise<void>;
}

/** Puts, deletes, leases that end and compactions, one after the other, as long as it is not stopped. */
export function startWriteLoad(etcd: EtcdCluster, seed: number): WriteLoad {
  const client = clientOf(etcd);
  const draw = random(seed, 0x10ad);
  const stopped = new AbortController();
  const writer = new Writer(client, draw);
  const compacting = compactions(client, writer, stopped.signal);
  const writing = (async () => {
    while (!stopped.signal.aborted) await sleep((await writer.write()) ? PAUSE_MS : AFTER_FAILURE_MS);
  })();
  return {
    get revision() {
      return writer.revision;
    },
    figures: () => writer.take(),
    stop: async () => {
      stopped.abort();
      await Promise.all([writing, compacting]);
      client.close();
    },
  };
}

const deadline = () => ({ deadline: Date.now() + WRITE_MS });

class Writer {
  revision = 0;
  private seen = { writes: 0, failures: [] as string[], slowestMs: 0 };
  private version = 0;
  private lease: string | undefined;
  private leasedAt = 0;

  constructor(
    private readonly client: Etcd3,
    private readonly draw: Random,
  ) {}

  take(): LoadFigures {
    const seen = this.seen;
    this.seen = { writes: 0, failures: [], slowestMs: 0 };
    return seen;
  }

  /** Whether it was done. */
  async write(): Promise<boolean> {
    const began = performance.now();
    try {
      const kind = this.draw.below(10);
      const revision = kind === 0 ? await this.remove() : kind === 1 ? await this.event() : await this.put();
      this.revision = Math.max(this.revision, Number(revision));
      this.seen.writes++;
      this.seen.slowestMs = Math.max(this.seen.slowestMs, performance.now() - began);
      return true;
    } catch (error) {
      this.lease = undefined;
      this.seen.failures.push(messageOf(error));
      return false;
    }
  }

  private async put(): Promise<string> {
    const { key, value } = kubernetesObject(1, this.draw.below(OBJECTS), ++this.version);
    return (await this.client.kv.put({ key: Buffer.from(key), value }, deadline())).header.revision;
  }

  private async remove(): Promise<string> {
    const { key } = kubernetesObject(1, this.draw.below(OBJECTS));
    return (await this.client.kv.deleteRange({ key: Buffer.from(key) }, deadline())).header.revision;
  }

  private async event(): Promise<string> {
    if (this.lease === undefined || Date.now() > this.leasedAt + LEASED_FOR_MS) {
      this.leasedAt = Date.now();
      this.lease = (await this.client.leaseClient.leaseGrant({ TTL: LEASE_SECONDS }, deadline())).ID;
    }
    const key = Buffer.from(`/registry/events/default/soak.${++this.version}`);
    return (await this.client.kv.put({ key, value: Buffer.from(this.draw.base64(600)), lease: this.lease }, deadline())).header.revision;
  }
}

async function compactions(client: Etcd3, writer: Writer, stopped: AbortSignal): Promise<void> {
  let stood = 0;
  let next = Date.now() + COMPACT_EVERY_MS;
  while (!stopped.aborted) {
    await sleep(100);
    if (Date.now() < next) continue;
    next = Date.now() + COMPACT_EVERY_MS;
    // Without quorum, or done by an earlier try whose answer was lost: the next one comes soon.
    if (stood > 0) await client.kv.compact({ revision: String(stood), physical: false }, deadline()).catch(() => undefined);
    stood = writer.revision;
  }
}
