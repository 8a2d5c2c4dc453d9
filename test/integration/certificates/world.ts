import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CloudWatchLogsClient, paginateDescribeLogGroups, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { GetExecutionHistoryCommand, SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient, paginateListCommandInvocations, paginateListCommands } from '@aws-sdk/client-ssm';
import { AdoptionReport, authoritySecretName, nodeSecretName } from '../../../lambdas/contract/certificates';
import type { AuthorityName } from '../../../lambdas/contract/certificate-names';
import { adoptionKey } from '../../../lambdas/contract/s3-keys';
import { waitUntil } from '../../../local/child-process';
import { startLocalCloud } from '../../../local/cloud';
import type { Execution, LocalCloud } from '../../../local/cloud';
import { deployLifeboats } from '../../../local/deployment';
import type { Deployment } from '../../../local/deployment';
import { startLocalNodes } from '../../../local/nodes';
import type { LocalNode, LocalNodes } from '../../../local/nodes';

/** The waits of the state machines are for machines in a data centre; here everything answers at once. */
const WAIT_SCALE = 0.25;

/** Local leaves live for thirty days. */
const SHORT = { leafValidityDays: 60, renewBeforeDays: 20 };

/** A member belongs to one cluster; that of a neighbour does not run. */
const NOWHERE = ['https://127.0.9.9:2379'];

export interface Adoption {
  readonly execution: Execution;
  readonly status: string;
  readonly report: AdoptionReport | undefined;
  readonly cause: string | undefined;
}

/** Control-plane nodes with kubeadm's whole tree and real etcd, and the deployed app that has their certificates to care for. */
export class CertificateWorld {
  readonly secrets: SecretsManagerClient;

  private constructor(
    readonly cloud: LocalCloud,
    readonly nodes: LocalNodes,
    readonly lifeboat: Deployment,
    /** The lifeboat of another cluster, which nothing was done for yet. */
    readonly neighbour: Deployment | undefined,
  ) {
    this.secrets = new SecretsManagerClient(cloud.clientConfig());
  }

  static async start({
    count = 3,
    certificates = {},
    neighbour,
  }: { readonly count?: number; readonly certificates?: object; readonly neighbour?: string } = {}): Promise<CertificateWorld> {
    const cloud = await startLocalCloud({ schedules: false, waitScale: WAIT_SCALE });
    const nodes = await startLocalNodes({ count, certificates: 'whole', cloud });
    const options = { endpoints: nodes.endpoints, certificates: { ...SHORT, ...certificates } };
    const beside = neighbour === undefined ? [] : [{ ...options, cluster: neighbour, endpoints: NOWHERE }];
    const [lifeboat, other] = await deployLifeboats(cloud, [options, ...beside]);
    if (lifeboat === undefined) throw new Error('nothing was deployed');
    await lifeboat.putSecret(nodes.credentials);
    await other?.putSecret(nodes.credentials);
    return new CertificateWorld(cloud, nodes, lifeboat, other);
  }

  get cluster(): string {
    return this.lifeboat.cluster;
  }

  node(number: number): LocalNode {
    const node = this.nodes.nodes[number - 1];
    if (node === undefined) throw new RangeError(`there is no node ${number}`);
    return node;
  }

  async adopt(input: object = {}): Promise<Adoption> {
    if (this.lifeboat.adopt === undefined) throw new Error('this world has no certificates to adopt');
    const execution = await this.lifeboat.adopt.start({ waitForNodesSeconds: 10, ...input });
    const { status, cause } = await execution.wait({ timeoutMs: 120_000 });
    return { execution, status, cause, report: await this.report(execution.name) };
  }

  private async report(id: string): Promise<AdoptionReport | undefined> {
    const Key = adoptionKey(this.cluster, id);
    try {
      const { Body } = await this.lifeboat.s3.send(new GetObjectCommand({ Bucket: this.lifeboat.bucket, Key }));
      return AdoptionReport.parse(JSON.parse((await Body?.transformToString()) ?? ''));
    } catch (error) {
      if (error instanceof Error && error.name === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  /** The text of a secret, undefined when it has none. */
  async secret(SecretId: string, stage: { readonly VersionStage?: string; readonly VersionId?: string } = {}): Promise<string | undefined> {
    try {
      return (await this.secrets.send(new GetSecretValueCommand({ SecretId, ...stage }))).SecretString;
    } catch (error) {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
      throw error;
    }
  }

  async authority(name: AuthorityName): Promise<unknown> {
    const text = await this.secret(authoritySecretName(this.cluster, name));
    return text === undefined ? undefined : JSON.parse(text);
  }

  nodeSecret(node: LocalNode): string {
    return nodeSecretName(this.cluster, node.instanceId);
  }

  async described(SecretId: string): Promise<{ readonly labels: Readonly<Record<string, string[]>>; readonly rotated: boolean }> {
    const { VersionIdsToStages = {}, RotationEnabled = false } = await this.secrets.send(new DescribeSecretCommand({ SecretId }));
    return { labels: VersionIdsToStages, rotated: RotationEnabled };
  }

  /** Secrets Manager tries the function once when rotation is switched on, after it has answered. */
  async nothingIsPending(): Promise<void> {
    for (const node of this.nodes.nodes) {
      await waitUntil(`nothing is pending for ${node.name}`, 60_000, async () => {
        const { labels } = await this.described(this.nodeSecret(node));
        return !Object.values(labels).flat().includes('AWSPENDING');
      });
    }
  }

  async versions(SecretId: string): Promise<string[]> {
    const { Versions = [] } = await this.secrets.send(new ListSecretVersionIdsCommand({ SecretId, IncludeDeprecated: true }));
    return Versions.map(({ VersionId = '' }) => VersionId).sort();
  }

  read(node: LocalNode, file: string): string {
    return readFileSync(path.join(node.tree.kubernetesDir, file), 'utf8');
  }

  write(node: LocalNode, file: string, text: string): void {
    writeFileSync(path.join(node.tree.kubernetesDir, file), text);
  }

  /** Everything that the functions for certificates have logged. */
  async functionLogs(): Promise<string[]> {
    return (await Promise.all(this.lifeboat.certificateFunctions.map((name) => this.cloud.logs(name)))).flat();
  }

  /** Whatever anybody may read later: logs of all functions, commands with their parameters and outputs, histories of executions. */
  async everythingSaid(executions: readonly string[] = []): Promise<string> {
    const config = this.cloud.clientConfig();
    const [logs, ssm, sfn] = [new CloudWatchLogsClient(config), new SSMClient(config), new SFNClient(config)];
    const said: string[] = [];
    try {
      for await (const { logGroups = [] } of paginateDescribeLogGroups({ client: logs }, {}))
        for (const { logGroupName } of logGroups)
          for await (const { events = [] } of paginateFilterLogEvents({ client: logs }, { logGroupName }))
            said.push(...events.map(({ message = '' }) => message));
      for await (const page of paginateListCommandInvocations({ client: ssm }, { Details: true }))
        said.push(JSON.stringify(page.CommandInvocations));
      for await (const page of paginateListCommands({ client: ssm }, {})) said.push(JSON.stringify(page.Commands));
      for (const executionArn of executions)
        said.push(JSON.stringify(await sfn.send(new GetExecutionHistoryCommand({ executionArn, includeExecutionData: true }))));
    } finally {
      for (const client of [logs, ssm, sfn]) client.destroy();
    }
    return said.join('\n');
  }

  /** The keys that lie on the nodes now: a line of each, and its beginning in base64 once more, as kubeconfigs and archives carry it. */
  keysOnNodes(): string[] {
    return this.nodes.nodes.flatMap((node) =>
      readdirSync(node.tree.pkiDir, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.key'))
        .map((file) => this.read(node, `pki/${file}`))
        .flatMap((key) => [key.split('\n')[3] ?? '', Buffer.from(key).toString('base64').slice(60, 120)]),
    );
  }

  async stop(): Promise<void> {
    this.secrets.destroy();
    await Promise.all([this.nodes.stop(), this.cloud.stop()]);
  }
}
