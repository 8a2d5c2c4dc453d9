import { execFile } from 'node:child_process';
import type { Etcd3 } from 'etcd3';
import { openEtcd } from '../../../lambdas/etcd/client/etcd-reader';
import { clientOf } from '../../../local/etcd/client';
import type { LocalNode, LocalNodes } from '../../../local/nodes';
import { etcdProgram } from '../../../local/tools';

/** What the etcd members on local nodes answer, each asked for itself. */
export class Members {
  constructor(readonly nodes: LocalNodes) {}

  /** Asks one member, by a client of its own: one that had seen the member stop would keep away from it. */
  async ask<T>(question: (client: Etcd3) => PromiseLike<T>, endpoint = this.nodes.endpoints[0]!): Promise<T> {
    const client = clientOf({ ...this.nodes, endpoints: [endpoint] });
    try {
      return await question(client);
    } finally {
      client.close();
    }
  }

  async put(key: string): Promise<void> {
    await this.ask((client) => client.put(key).value('x'));
  }

  async revision(): Promise<number> {
    return Number((await this.ask((client) => client.kv.range({ key: Buffer.from('none') }))).header.revision);
  }

  /** What every member says of the same revision. */
  async hashes(): Promise<{ readonly hashes: readonly string[]; readonly clusterIds: readonly string[] }> {
    const etcd = openEtcd(this.nodes.endpoints, this.nodes.credentials);
    try {
      const revision = await this.revision();
      const hashes = await Promise.all(this.nodes.endpoints.map((endpoint) => etcd.hashKv(endpoint, revision)));
      const { members } = await etcd.gather();
      return {
        hashes: hashes.map((each) => JSON.stringify(each)),
        clusterIds: members.map((member) => (member.reachable ? member.status.clusterId : member.because)),
      };
    } finally {
      etcd.close();
    }
  }

  /** What each member has under a key, asked of itself. */
  async valuesOf(key: string): Promise<(string | null)[]> {
    return Promise.all(this.nodes.endpoints.map((endpoint) => this.ask((client) => client.get(key).string(), endpoint)));
  }

  /** Runs etcdctl against the first member; what it printed, however it ended. */
  etcdctl(words: readonly string[], timeoutMs: number): Promise<{ readonly failed: boolean; readonly printed: string }> {
    const { pkiDir } = this.nodes.nodes[0]!.tree;
    const tls = [`--cacert=${pkiDir}/etcd/ca.crt`, `--cert=${pkiDir}/etcd/server.crt`, `--key=${pkiDir}/etcd/server.key`];
    const args = [...tls, `--endpoints=${this.nodes.endpoints[0]!}`, ...words];
    return new Promise((resolve) => {
      execFile(etcdProgram(this.nodes.release, 'etcdctl'), args, { timeout: timeoutMs }, (error, stdout, stderr) =>
        resolve({ failed: error !== null, printed: stdout + stderr }),
      );
    });
  }

  async ready(nodes: readonly LocalNode[] = this.nodes.nodes): Promise<void> {
    await Promise.all(nodes.map((node) => node.ready()));
  }
}
