import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { Etcd3 } from 'etcd3';
import { RestoreReport } from '../../../lambdas/contract/restore';
import type { RestoreFile } from '../../../lambdas/contract/s3-keys';
import { restoreKey } from '../../../lambdas/contract/s3-keys';
import { openEtcd } from '../../../lambdas/etcd/client/etcd-reader';
import { readyzOf } from '../../../lambdas/kubernetes/readyz';
import { waitUntil } from '../../../local/child-process';
import { startLocalCloud } from '../../../local/cloud';
import type { Execution, LocalCloud } from '../../../local/cloud';
import { deployLifeboat } from '../../../local/deployment';
import type { Deployment } from '../../../local/deployment';
import { clientOf } from '../../../local/etcd/client';
import { seedKubernetesData } from '../../../local/etcd/kubernetes-data';
import { etcdProgram } from '../../../local/tools';
import { startLocalNodes } from '../../../local/nodes';
import type { LocalNode, LocalNodes, LocalNodesOptions } from '../../../local/nodes';

/** The waits of the state machines are for machines in a data centre; here everything answers at once. */
const WAIT_SCALE = 0.25;

export interface RestoreWorldOptions extends Omit<LocalNodesOptions, 'cloud'> {
  readonly megabytes: number;
}

/** Control-plane nodes with real etcd, and the deployed app that backs them up and restores them. */
export class RestoreWorld {
  private constructor(
    readonly cloud: LocalCloud,
    readonly nodes: LocalNodes,
    readonly lifeboat: Deployment,
  ) {}

  static async start({ megabytes, ...options }: RestoreWorldOptions): Promise<RestoreWorld> {
    const cloud = await startLocalCloud({ schedules: false, waitScale: WAIT_SCALE });
    const nodes = await startLocalNodes({ ...options, cloud });
    await seedKubernetesData(nodes, { megabytes });
    const lifeboat = await deployLifeboat(cloud, { endpoints: nodes.endpoints });
    await lifeboat.putSecret(nodes.credentials);
    return new RestoreWorld(cloud, nodes, lifeboat);
  }

  /** Takes a snapshot and raises the ledger, as the schedules would have done; the id of the snapshot. */
  async backup(): Promise<string> {
    const taken = await this.lifeboat.takeSnapshot();
    await this.lifeboat.watchMembers();
    if (taken.outcome !== 'returned') throw new Error(JSON.stringify(taken));
    return (taken.result as { id: string }).id;
  }

  async run(
    input: object,
    timeoutMs = 240_000,
  ): Promise<{
    readonly execution: Execution;
    readonly status: string;
    readonly cause?: string;
    readonly error?: string;
  }> {
    const execution = await this.lifeboat.restore.start(input);
    return { execution, ...(await execution.wait({ timeoutMs })) };
  }

  file(restoreId: string, file: RestoreFile): Promise<string> {
    return this.object(restoreKey(this.lifeboat.cluster, restoreId, file));
  }

  async object(Key: string): Promise<string> {
    const { Body } = await this.lifeboat.s3.send(new GetObjectCommand({ Bucket: this.lifeboat.bucket, Key }));
    return (await Body?.transformToString()) ?? '';
  }

  async report(restoreId: string): Promise<RestoreReport> {
    return RestoreReport.parse(JSON.parse(await this.file(restoreId, 'report.json')));
  }

  /** Asks one member, by a client of its own: one that had seen the member stop would keep away from it. */
  async ask<T>(question: (client: Etcd3) => PromiseLike<T>, endpoint = this.nodes.endpoints[0]!): Promise<T> {
    const client = clientOf({ ...this.nodes, endpoints: [endpoint] });
    try {
      return await question(client);
    } finally {
      client.close();
    }
  }

  async put(key: string, value = 'x'): Promise<void> {
    await this.ask((client) => client.put(key).value(value));
  }

  /** What each member has under a key, asked of itself. */
  async valuesOf(key: string): Promise<(string | null)[]> {
    return Promise.all(this.nodes.endpoints.map((endpoint) => this.ask((client) => client.get(key).string(), endpoint)));
  }

  async revision(): Promise<number> {
    return Number((await this.ask((client) => client.kv.range({ key: Buffer.from('none') }))).header.revision);
  }

  /** How many different HashKV and cluster ids the members have. */
  async kinds(): Promise<{ readonly hashes: number; readonly clusters: number }> {
    const etcd = openEtcd(this.nodes.endpoints, this.nodes.credentials);
    try {
      const revision = await this.revision();
      const hashes = await Promise.all(this.nodes.endpoints.map((endpoint) => etcd.hashKv(endpoint, revision)));
      const { members } = await etcd.gather();
      const clusters = members.map((member) => (member.reachable ? member.status.clusterId : member.because));
      return { hashes: new Set(hashes.map((each) => JSON.stringify(each))).size, clusters: new Set(clusters).size };
    } finally {
      etcd.close();
    }
  }

  async ready(nodes: readonly LocalNode[] = this.nodes.nodes): Promise<void> {
    await Promise.all(nodes.map((node) => node.ready()));
  }

  /** What etcdctl says when etcd ends a watch that begins at this revision. */
  cancelReason(key: string, revision: number): Promise<string> {
    const { pkiDir } = this.nodes.nodes[0]!.tree;
    const tls = [`--cacert=${pkiDir}/etcd/ca.crt`, `--cert=${pkiDir}/etcd/server.crt`, `--key=${pkiDir}/etcd/server.key`];
    const args = [...tls, `--endpoints=${this.nodes.endpoints[0]!}`, 'watch', key, `--rev=${revision}`];
    return new Promise((resolve) => {
      execFile(etcdProgram(this.nodes.release, 'etcdctl'), args, { timeout: 10_000 }, (_error, stdout, stderr) => resolve(stdout + stderr));
    });
  }

  /** Waits until each node's API server says that it is ready. */
  async apiserversAreReady(): Promise<void> {
    for (const { tree, name } of this.nodes.nodes) {
      const flags = readFileSync(path.join(tree.manifestDir, 'kube-apiserver.yaml'), 'utf8');
      const flag = (word: string) => new RegExp(`--${word}=(\\S+)`).exec(flags)?.[1] ?? '';
      const url = `https://${flag('bind-address')}:${flag('secure-port')}`;
      await waitUntil(`kube-apiserver on ${name} gets ready`, 30_000, () =>
        readyzOf(url).then(
          (status) => status === 200,
          () => false,
        ),
      );
    }
  }

  async stop(): Promise<void> {
    await this.nodes.stop();
    await this.cloud.stop();
  }
}
