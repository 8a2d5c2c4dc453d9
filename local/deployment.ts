import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import type { Manifest } from '../lambdas/contract/manifest';
import type { LockPolicy } from '../lambdas/contract/retention';
import type { EtcdClientSecret } from '../lambdas/contract/secrets';
import { listSnapshots } from './catalog';
import type { InvokeResult, LocalCloud, StackOutputs, StateMachine } from './cloud';

/** The app of this project, deployed for one cluster into the local cloud. */
export interface Deployment {
  readonly cluster: string;
  readonly bucket: string;
  /** Where S3 copies the snapshots to, with a client of that region; only when it was asked for. */
  readonly replica?: { readonly bucket: string; readonly s3: S3Client };
  readonly takeSnapshotFunction: string;
  readonly pruneSnapshotsFunction: string;
  readonly watchMembersFunction: string;
  readonly materializeSnapshotFunction: string;
  readonly drillFunction: string;
  readonly etcdClientSecretArn: string;
  readonly deadLetterQueueUrl: string;
  /** The restore runbook. */
  readonly restore: StateMachine;
  /** The runbook that replaces a member. */
  readonly replaceMember: StateMachine;
  /** The runbook that takes the PKI over; only with `certificates`. */
  readonly adopt?: StateMachine;
  /** The runbook for certificates that have ended; only with `certificates`. */
  readonly repair?: StateMachine;
  readonly rotateCa?: StateMachine;
  /** The daily look at every certificate; only with `certificates`. */
  readonly scan?: StateMachine;
  /** What else works for certificates. */
  readonly certificateFunctions: readonly string[];
  /** Only with `api`. */
  readonly syncApiRecordFunction?: string;
  readonly probeApiFunction?: string;
  readonly s3: S3Client;
  putSecret(secret: EtcdClientSecret): Promise<void>;
  takeSnapshot(event?: unknown): Promise<InvokeResult>;
  pruneSnapshots(): Promise<InvokeResult>;
  watchMembers(): Promise<InvokeResult>;
  materializeSnapshot(event: unknown): Promise<InvokeResult>;
  drill(event?: unknown): Promise<InvokeResult>;
  /** Fails when no replica was asked for. */
  watchReplica(): Promise<InvokeResult>;
  /** Every listed snapshot, oldest first. */
  snapshots(): Promise<Manifest[]>;
}

export interface DeploymentOptions {
  /** @default demo */
  readonly cluster?: string;
  readonly endpoints: readonly string[];
  /** @default 'rate(1 hour)' */
  readonly schedule?: string;
  /** @default 2 */
  readonly maxDbSizeGiB?: number;
  /** As in the config; what is left out has the config's own default. */
  readonly retention?: Readonly<Record<string, number>>;
  /** @default - no copy in another region */
  readonly replica?: { readonly region: string };
  /** @default - the config's own */
  readonly lock?: LockPolicy;
  /** As in the config. @default - the lifeboat has nothing to do with certificates */
  readonly certificates?: Readonly<Record<string, unknown>>;
  /** As in the config. @default - the lifeboat keeps no record */
  readonly api?: Readonly<Record<string, unknown>>;
  /** As in the config. @default - nobody is told */
  readonly alarms?: Readonly<Record<string, unknown>>;
}

const Outputs = z.object({
  StateBucketName: z.string(),
  TakeSnapshotFunctionName: z.string(),
  PruneSnapshotsFunctionName: z.string(),
  WatchMembersFunctionName: z.string(),
  MaterializeSnapshotFunctionName: z.string(),
  DrillFunctionName: z.string(),
  EtcdClientSecretArn: z.string(),
  DeadLetterQueueUrl: z.string(),
  RestoreStateMachineArn: z.string(),
  ReplaceMemberStateMachineArn: z.string(),
  AdoptStateMachineArn: z.string().optional(),
  CertificateFunctionAdopt: z.string().optional(),
  CertificateFunctionRotateCertificates: z.string().optional(),
  CertificateFunctionProbeNode: z.string().optional(),
  CertificateFunctionScanCertificates: z.string().optional(),
  ScanStateMachineArn: z.string().optional(),
  CertificateFunctionRepairCertificates: z.string().optional(),
  CertificateFunctionExchangeAuthority: z.string().optional(),
  CertificateFunctionLookAround: z.string().optional(),
  RepairStateMachineArn: z.string().optional(),
  RotateCaStateMachineArn: z.string().optional(),
  SyncApiRecordFunctionName: z.string().optional(),
  ProbeApiFunctionName: z.string().optional(),
  WatchReplicaFunctionName: z.string().optional(),
});
const ReplicaOutputs = z.object({ ReplicaBucketName: z.string() });

/** Writes a `lifeboat.json` and deploys the unchanged app with it, as an operator would. */
export async function deployLifeboat(cloud: LocalCloud, options: DeploymentOptions): Promise<Deployment> {
  const [deployment] = await deployLifeboats(cloud, [options]);
  if (deployment === undefined) throw new Error('nothing was deployed');
  return deployment;
}

/** The same for several clusters in one file, which are deployed by one run of the app: their functions are bundled once. */
export async function deployLifeboats(cloud: LocalCloud, clusters: readonly DeploymentOptions[]): Promise<Deployment[]> {
  const named = clusters.map((options) => ({ cluster: 'demo', ...options }));
  const configPath = path.join(cloud.folder, `${named.map(({ cluster }) => cluster).join('+')}.lifeboat.json`);
  writeFileSync(configPath, JSON.stringify({ clusters: named.map((options) => configOf(cloud, options)) }, undefined, 2));
  const { outputs } = await cloud.deployApp({ app: 'npx tsx bin/app.ts', configPath });
  return named.map((options) => deploymentOf(cloud, options, outputs));
}

type Named = DeploymentOptions & { readonly cluster: string };

function configOf(cloud: LocalCloud, options: Named): object {
  const { cluster, endpoints, schedule = 'rate(1 hour)', maxDbSizeGiB = 2, retention, lock, replica, certificates, api, alarms } = options;
  const backup = { schedule, maxDbSizeGiB, retention, lock, replica };
  // A replica needs to know where it is a replica of; all else does not care.
  return {
    name: cluster,
    region: replica && cloud.region,
    terminationProtection: false,
    etcd: { endpoints },
    backup,
    certificates,
    api,
    alarms,
  };
}

function deploymentOf(cloud: LocalCloud, { cluster, replica }: Named, outputs: StackOutputs): Deployment {
  const found = Outputs.parse(outputs[`Lifeboat-${cluster}`]);
  const copy = replica && ReplicaOutputs.parse(outputs[`LifeboatReplica-${cluster}`]);
  const s3 = new S3Client(cloud.clientConfig());
  const secrets = new SecretsManagerClient(cloud.clientConfig());
  return {
    cluster,
    bucket: found.StateBucketName,
    ...(copy && { replica: { bucket: copy.ReplicaBucketName, s3: new S3Client(cloud.clientConfig(replica.region)) } }),
    takeSnapshotFunction: found.TakeSnapshotFunctionName,
    pruneSnapshotsFunction: found.PruneSnapshotsFunctionName,
    watchMembersFunction: found.WatchMembersFunctionName,
    materializeSnapshotFunction: found.MaterializeSnapshotFunctionName,
    drillFunction: found.DrillFunctionName,
    etcdClientSecretArn: found.EtcdClientSecretArn,
    deadLetterQueueUrl: found.DeadLetterQueueUrl,
    restore: cloud.stateMachine(found.RestoreStateMachineArn),
    replaceMember: cloud.stateMachine(found.ReplaceMemberStateMachineArn),
    ...(found.AdoptStateMachineArn !== undefined && { adopt: cloud.stateMachine(found.AdoptStateMachineArn) }),
    ...(found.ScanStateMachineArn !== undefined && { scan: cloud.stateMachine(found.ScanStateMachineArn) }),
    ...(found.RepairStateMachineArn !== undefined && { repair: cloud.stateMachine(found.RepairStateMachineArn) }),
    ...(found.RotateCaStateMachineArn !== undefined && { rotateCa: cloud.stateMachine(found.RotateCaStateMachineArn) }),
    certificateFunctions: [
      found.CertificateFunctionAdopt,
      found.CertificateFunctionRotateCertificates,
      found.CertificateFunctionProbeNode,
      found.CertificateFunctionScanCertificates,
      found.CertificateFunctionRepairCertificates,
      found.CertificateFunctionExchangeAuthority,
      found.CertificateFunctionLookAround,
    ].filter((name) => name !== undefined),
    ...(found.SyncApiRecordFunctionName !== undefined && { syncApiRecordFunction: found.SyncApiRecordFunctionName }),
    ...(found.ProbeApiFunctionName !== undefined && { probeApiFunction: found.ProbeApiFunctionName }),
    s3,
    putSecret: async (secret) => {
      await secrets.send(new PutSecretValueCommand({ SecretId: found.EtcdClientSecretArn, SecretString: JSON.stringify(secret) }));
    },
    takeSnapshot: (event = { trigger: 'manual' }) => cloud.invoke(found.TakeSnapshotFunctionName, event),
    pruneSnapshots: () => cloud.invoke(found.PruneSnapshotsFunctionName),
    watchMembers: () => cloud.invoke(found.WatchMembersFunctionName),
    materializeSnapshot: (event) => cloud.invoke(found.MaterializeSnapshotFunctionName, event),
    drill: (event = {}) => cloud.invoke(found.DrillFunctionName, event),
    watchReplica: async () => cloud.invoke(z.string({ error: 'no replica was asked for' }).parse(found.WatchReplicaFunctionName)),
    snapshots: () => listSnapshots(s3, found.StateBucketName, cluster),
  };
}
