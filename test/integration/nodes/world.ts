import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { Etcd3 } from 'etcd3';
import type { NodeCommandName, NodeFacts, NodeResultOf } from '../../../lambdas/contract/node-commands';
import { openEtcd } from '../../../lambdas/etcd/client/etcd-reader';
import type { NodeState } from '../../../lambdas/nodes/node-state';
import { nodeStateOf } from '../../../lambdas/nodes/node-state';
import type { NodeOutcome } from '../../../lambdas/nodes/read-result';
import { SsmNodes } from '../../../lambdas/nodes/ssm-nodes';
import { sleep } from '../../../local/child-process';
import type { LocalCloud } from '../../../local/cloud';
import { startLocalCloud } from '../../../local/cloud';
import { snapshotStatus } from '../../../local/etcd/restored-member';
import type { LocalNode, LocalNodes, LocalNodesOptions } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import { etcdProgram } from '../../../local/tools';
import { runOnNodes } from '../../support/run-on-nodes';
import { clientOf } from '../backup/world';

const BUCKET = 'lifeboat-state';

export type Parameters = Readonly<Record<string, string>>;

/** Nodes that the documents of a deployed stack reach by Systems Manager. */
export class NodesWorld {
  readonly sender: SsmNodes;
  readonly ssm: SSMClient;
  private readonly s3: S3Client;

  private constructor(
    readonly cloud: LocalCloud,
    readonly nodes: LocalNodes,
  ) {
    this.ssm = new SSMClient(cloud.clientConfig());
    this.s3 = new S3Client(cloud.clientConfig());
    this.sender = new SsmNodes(this.ssm, 'demo');
  }

  static async start(options: Omit<LocalNodesOptions, 'cloud'> = {}): Promise<NodesWorld> {
    const cloud = await startLocalCloud();
    try {
      const app = `npx tsx ${path.relative(process.cwd(), path.join(__dirname, 'app/app.ts'))}`;
      const [nodes] = await Promise.all([startLocalNodes({ ...options, cloud }), cloud.deployApp({ app })]);
      const world = new NodesWorld(cloud, nodes);
      await world.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
      return world;
    } catch (error) {
      await cloud.stop();
      throw error;
    }
  }

  /** Runs one document on some nodes, each with its own paths. */
  async run<C extends NodeCommandName>(
    command: C,
    parameters: Parameters,
    nodes: readonly LocalNode[],
    withinMs = 60_000,
  ): Promise<NodeOutcome<C>[]> {
    const edges = { sender: this.sender, now: () => new Date(), wait: sleep };
    return Promise.all(
      nodes.map(async (node) => {
        const options = { instanceIds: [node.instanceId], parameters: { ...node.paths, ...parameters }, withinMs, pollMs: 100 };
        const [outcome] = (await runOnNodes(edges, command, options)).values();
        if (outcome === undefined) throw new Error('no outcome');
        return outcome;
      }),
    );
  }

  /** The results of a document that must succeed everywhere. */
  async do<C extends NodeCommandName>(command: C, parameters: Parameters = {}, nodes = this.nodes.nodes): Promise<NodeResultOf<C>[]> {
    const outcomes = await this.run(command, parameters, nodes);
    return outcomes.map((outcome) => {
      if (outcome.outcome !== 'done') throw new Error(`${command}: ${JSON.stringify(outcome)}`);
      return outcome.result;
    });
  }

  async states(restoreId: string): Promise<NodeState[]> {
    const facts: NodeFacts[] = await this.do('facts');
    return facts.map((each) => nodeStateOf(each, restoreId));
  }

  /** Takes a snapshot, puts it into S3 and gives what `stage` needs of it. */
  async snapshot(): Promise<Parameters> {
    const file = path.join(this.nodes.folder, `${randomBytes(4).toString('hex')}.db`);
    const { pkiDir } = this.nodes.nodes[0]!.tree;
    const tls = [`--cacert=${pkiDir}/etcd/ca.crt`, `--cert=${pkiDir}/etcd/server.crt`, `--key=${pkiDir}/etcd/server.key`];
    await promisify(execFile)(etcdProgram(this.nodes.release, 'etcdctl'), [
      ...tls,
      `--endpoints=${this.nodes.endpoints[0]!}`,
      'snapshot',
      'save',
      file,
    ]);
    const Body = readFileSync(file);
    const Key = `clusters/demo/restores/test/${path.basename(file)}`;
    await this.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    const { hash, revision } = await snapshotStatus(file, this.nodes.release);
    return {
      snapshotUrl: `s3://${BUCKET}/${Key}`,
      snapshotBytes: String(Body.length),
      snapshotSha256: createHash('sha256').update(Body).digest('hex'),
      snapshotHash: hash,
      snapshotRevision: String(revision),
    };
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

  async ready(): Promise<void> {
    await Promise.all(this.nodes.nodes.map((node) => node.ready()));
  }

  async stop(): Promise<void> {
    for (const client of [this.ssm, this.s3]) client.destroy();
    await this.nodes.stop();
    await this.cloud.stop();
  }
}
