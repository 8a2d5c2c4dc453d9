import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Etcd3 } from 'etcd3';
import { z } from 'zod';
import { startEtcdCluster } from '../../local/etcd/cluster';
import type { EtcdCluster } from '../../local/etcd/cluster';
import { etcdProgram } from '../../local/tools';
import type { EtcdRelease } from '../../local/tools';
import { clientOf } from '../integration/backup/world';

const run = promisify(execFile);
const OUTPUT = { maxBuffer: 1 << 28 };
const HashKv = z.tuple([z.object({ HashKV: z.object({ hash: z.number(), compact_revision: z.number() }) })]);
const MemberList = z.object({ members: z.tuple([z.object({ peerURLs: z.tuple([z.string()]) })]) });

export interface LiveChange {
  readonly key: string;
  /** Left out to delete the key. */
  readonly value?: string | Buffer;
}

/** A cluster of one real member, what tests do to it, and what etcd's own tools say of it. */
export class LiveMember {
  readonly client: Etcd3;

  private constructor(private readonly cluster: EtcdCluster) {
    this.client = clientOf(cluster);
  }

  static async start(release: EtcdRelease): Promise<LiveMember> {
    return new LiveMember(await startEtcdCluster({ members: 1, release }));
  }

  /** All changes in one transaction: they share a main revision. */
  async change(...changes: readonly LiveChange[]): Promise<void> {
    const success = changes.map(({ key, value }) =>
      value === undefined
        ? { request_delete_range: { key: Buffer.from(key) } }
        : { request_put: { key: Buffer.from(key), value: Buffer.from(value) } },
    );
    await this.client.kv.txn({ compare: [], success, failure: [] });
  }

  async revision(): Promise<number> {
    return Number((await this.client.kv.range({ key: Buffer.from('none') })).header.revision);
  }

  /** Returns when the old entries are removed. */
  async compact(revision: number): Promise<void> {
    await this.client.kv.compact({ revision: String(revision), physical: true });
  }

  async etcdctl(...words: string[]): Promise<string> {
    const { endpoints, folder, release } = this.cluster;
    const pki = path.join(folder, 'pki');
    const tls = [`--cacert=${pki}/ca.crt`, `--cert=${pki}/client.crt`, `--key=${pki}/client.key`];
    return (await run(etcdProgram(release, 'etcdctl'), ['--endpoints', endpoints.join(','), ...tls, ...words], OUTPUT)).stdout;
  }

  async snapshot(file: string): Promise<string> {
    rmSync(file, { force: true });
    await this.etcdctl('snapshot', 'save', file);
    return file;
  }

  /** The hash as eight hex digits. */
  async hashKv(revision: number): Promise<{ hash: string; compactRevision: number }> {
    const printed = await this.etcdctl('endpoint', 'hashkv', '--rev', String(revision), '-w', 'json');
    const [{ HashKV }] = HashKv.parse(JSON.parse(printed));
    return { hash: HashKV.hash.toString(16).padStart(8, '0'), compactRevision: HashKV.compact_revision };
  }

  /** Puts what `etcdutl snapshot restore` makes of a file in the place of the member's data. */
  async restore(file: string, ...flags: string[]): Promise<void> {
    const [member] = this.cluster.members;
    if (member === undefined) throw new Error('the cluster has no member');
    const { members } = MemberList.parse(JSON.parse(await this.etcdctl('member', 'list', '-w', 'json')));
    const peer = members[0].peerURLs[0];
    await member.stop();
    rmSync(member.dataDir, { recursive: true });
    const place = [`--data-dir=${member.dataDir}`, `--name=${member.name}`, `--initial-cluster=${member.name}=${peer}`];
    const restore = ['snapshot', 'restore', file, ...place, `--initial-advertise-peer-urls=${peer}`, ...flags];
    await run(etcdProgram(this.cluster.release, 'etcdutl'), restore, OUTPUT);
    member.start();
    await member.ready();
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.cluster.stop();
  }
}
