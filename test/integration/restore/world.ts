import { GetObjectCommand } from '@aws-sdk/client-s3';
import { SSMClient, paginateListCommandInvocations } from '@aws-sdk/client-ssm';
import { RestoreReport } from '../../../lambdas/contract/restore';
import type { RestoreFile } from '../../../lambdas/contract/s3-keys';
import { restoreKey } from '../../../lambdas/contract/s3-keys';
import { waitUntil } from '../../../local/child-process';
import { startLocalCloud } from '../../../local/cloud';
import type { Execution, LocalCloud } from '../../../local/cloud';
import { questionOf } from '../../../local/demo/approval';
import { deployLifeboat } from '../../../local/deployment';
import type { Deployment } from '../../../local/deployment';
import { seedKubernetesData } from '../../../local/etcd/kubernetes-data';
import { startLocalNodes } from '../../../local/nodes';
import type { LocalNode, LocalNodes, LocalNodesOptions } from '../../../local/nodes';
import { Members } from '../nodes/members';

/** The waits of the state machines are for machines in a data centre; here everything answers at once. */
const WAIT_SCALE = 0.25;

export interface RestoreWorldOptions extends Omit<LocalNodesOptions, 'cloud'> {
  readonly megabytes: number;
  /** Whether there is a machine too on which restores are only tried, with an etcd of its own. @default false */
  readonly spare?: boolean;
  /** Whether the lifeboat has certificates to care for, too. @default false */
  readonly certified?: boolean;
}

/** Control-plane nodes with real etcd, and the deployed app that backs them up and restores them. */
export class RestoreWorld extends Members {
  private constructor(
    readonly cloud: LocalCloud,
    nodes: LocalNodes,
    readonly lifeboat: Deployment,
    private readonly spareNodes: LocalNodes | undefined,
  ) {
    super(nodes);
  }

  static async start({ megabytes, spare = false, certified = false, ...options }: RestoreWorldOptions): Promise<RestoreWorld> {
    const cloud = await startLocalCloud({ schedules: false, waitScale: WAIT_SCALE });
    const nodes = await startLocalNodes({ ...options, cloud });
    await seedKubernetesData(nodes, { megabytes });
    const lifeboat = await deployLifeboat(cloud, { endpoints: nodes.endpoints, ...(certified && { certificates: {} }) });
    await lifeboat.putSecret(nodes.credentials);
    const spareNodes = spare
      ? await startLocalNodes({ cloud, count: 1, release: nodes.release, tags: { 'lifeboat/drill': 'demo' }, beside: nodes })
      : undefined;
    return new RestoreWorld(cloud, nodes, lifeboat, spareNodes);
  }

  /** The machine on which restores are only tried. @throws Error in a world without */
  get spare(): Members {
    if (this.spareNodes === undefined) throw new Error('this world has no spare machine: start it with one');
    return new Members(this.spareNodes);
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

  /** Waits until somebody is asked to approve an execution, and gives the question. */
  question(execution: Execution): Promise<string> {
    return questionOf(this.lifeboat, execution, 120_000);
  }

  async object(Key: string): Promise<string> {
    const { Body } = await this.lifeboat.s3.send(new GetObjectCommand({ Bucket: this.lifeboat.bucket, Key }));
    return (await Body?.transformToString()) ?? '';
  }

  async report(restoreId: string): Promise<RestoreReport> {
    return RestoreReport.parse(JSON.parse(await this.file(restoreId, 'report.json')));
  }

  /** How many different HashKV and cluster ids the members have. */
  async kinds(): Promise<{ readonly hashes: number; readonly clusters: number }> {
    const { hashes, clusterIds } = await this.hashes();
    return { hashes: new Set(hashes).size, clusters: new Set(clusterIds).size };
  }

  /** What etcdctl says when etcd ends a watch that begins at this revision. */
  async cancelReason(key: string, revision: number): Promise<string> {
    return (await this.etcdctl(['watch', key, `--rev=${revision}`], 10_000)).printed;
  }

  /** Waits until each node's API server says that it is ready. */
  async apiserversAreReady(): Promise<void> {
    for (const node of this.nodes.nodes)
      await waitUntil(`kube-apiserver on ${node.name} gets ready`, 30_000, () => node.apiserverIsReady());
  }

  /** Waits until nothing runs on a node: what was cut off when its power went is begun again when it is back. */
  async idle(node: LocalNode): Promise<void> {
    const ssm = new SSMClient(this.cloud.clientConfig());
    const runs = async (): Promise<boolean> => {
      for await (const { CommandInvocations = [] } of paginateListCommandInvocations({ client: ssm }, { InstanceId: node.instanceId }))
        if (CommandInvocations.some(({ Status = '' }) => ['Pending', 'InProgress', 'Cancelling'].includes(Status))) return true;
      return false;
    };
    await waitUntil(`nothing runs on ${node.name}`, 60_000, async () => !(await runs()), 200);
    ssm.destroy();
  }

  async stop(): Promise<void> {
    await this.nodes.stop();
    await this.spareNodes?.stop();
    await this.cloud.stop();
  }
}
