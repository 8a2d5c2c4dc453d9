import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { NodeCommandName, NodeFacts, NodeResultOf } from '../../../lambdas/contract/node-commands';
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
import { runOnNodes } from '../../support/run-on-nodes';
import { Members } from './members';

const BUCKET = 'lifeboat-state';

export type Parameters = Readonly<Record<string, string>>;

/** Nodes that the documents of a deployed stack reach by Systems Manager. */
export class NodesWorld extends Members {
  readonly sender: SsmNodes;
  readonly ssm: SSMClient;
  private readonly s3: S3Client;

  private constructor(
    readonly cloud: LocalCloud,
    nodes: LocalNodes,
  ) {
    super(nodes);
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
    const { failed, printed } = await this.etcdctl(['snapshot', 'save', file], 60_000);
    if (failed) throw new Error(printed);
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

  async stop(): Promise<void> {
    for (const client of [this.ssm, this.s3]) client.destroy();
    await this.nodes.stop();
    await this.cloud.stop();
  }
}
