import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import type { Manifest } from '../lambdas/contract/manifest';
import type { LockPolicy } from '../lambdas/contract/retention';
import type { EtcdClientSecret } from '../lambdas/contract/secrets';
import { listSnapshots } from './catalog';
import type { InvokeResult, LocalCloud } from './cloud';

/** The app of this project, deployed for one cluster into the local cloud. */
export interface Deployment {
  readonly cluster: string;
  readonly bucket: string;
  readonly takeSnapshotFunction: string;
  readonly pruneSnapshotsFunction: string;
  readonly etcdClientSecretArn: string;
  readonly s3: S3Client;
  putSecret(secret: EtcdClientSecret): Promise<void>;
  takeSnapshot(event?: unknown): Promise<InvokeResult>;
  pruneSnapshots(): Promise<InvokeResult>;
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
  /** @default - the config's own */
  readonly lock?: LockPolicy;
}

const Outputs = z.object({
  StateBucketName: z.string(),
  TakeSnapshotFunctionName: z.string(),
  PruneSnapshotsFunctionName: z.string(),
  EtcdClientSecretArn: z.string(),
});

/** Writes a `lifeboat.json` and deploys the unchanged app with it, as an operator would. */
export async function deployLifeboat(cloud: LocalCloud, options: DeploymentOptions): Promise<Deployment> {
  const { cluster = 'demo', endpoints, schedule = 'rate(1 hour)', maxDbSizeGiB = 2, retention, lock } = options;
  const config = {
    clusters: [{ name: cluster, terminationProtection: false, etcd: { endpoints }, backup: { schedule, maxDbSizeGiB, retention, lock } }],
  };
  const configPath = path.join(cloud.folder, `${cluster}.lifeboat.json`);
  writeFileSync(configPath, JSON.stringify(config, undefined, 2));
  const { outputs } = await cloud.deployApp({ app: 'npx tsx bin/app.ts', configPath });
  const found = Outputs.parse(outputs[`Lifeboat-${cluster}`]);
  const s3 = new S3Client(cloud.clientConfig());
  const secrets = new SecretsManagerClient(cloud.clientConfig());
  return {
    cluster,
    bucket: found.StateBucketName,
    takeSnapshotFunction: found.TakeSnapshotFunctionName,
    pruneSnapshotsFunction: found.PruneSnapshotsFunctionName,
    etcdClientSecretArn: found.EtcdClientSecretArn,
    s3,
    putSecret: async (secret) => {
      await secrets.send(new PutSecretValueCommand({ SecretId: found.EtcdClientSecretArn, SecretString: JSON.stringify(secret) }));
    },
    takeSnapshot: (event = { trigger: 'manual' }) => cloud.invoke(found.TakeSnapshotFunctionName, event),
    pruneSnapshots: () => cloud.invoke(found.PruneSnapshotsFunctionName),
    snapshots: () => listSnapshots(s3, found.StateBucketName, cluster),
  };
}
