import { GetFunctionConfigurationCommand, LambdaClient, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { Env } from '../../../lambdas/contract/env';
import { startLocalCloud } from '../../../local/cloud';
import type { LocalCloud } from '../../../local/cloud';
import { deployLifeboat } from '../../../local/deployment';
import type { Deployment } from '../../../local/deployment';
import { clientOf } from '../../../local/etcd/client';
import { startEtcdCluster } from '../../../local/etcd/cluster';
import type { EtcdCluster } from '../../../local/etcd/cluster';
import { seedKubernetesData } from '../../../local/etcd/kubernetes-data';

export { clientOf } from '../../../local/etcd/client';

/** A real etcd cluster and the deployed app that backs it up. */
export interface World {
  readonly cloud: LocalCloud;
  readonly etcd: EtcdCluster;
  readonly lifeboat: Deployment;
  /** Points the deployed functions at other endpoints, as a new config would. */
  pointAt(endpoints: readonly string[]): Promise<void>;
  /** What a failed run must leave as it was. */
  traces(): Promise<Traces>;
  stop(): Promise<void>;
}

export interface Traces {
  readonly listed: number;
  readonly openUploads: number;
  readonly etcdRevision: string;
}

export interface WorldOptions {
  readonly megabytes: number;
  readonly release?: '3.5' | '3.6';
  /** @default - the config's own */
  readonly retention?: Readonly<Record<string, number>>;
  /** @default - no copy in another region */
  readonly replica?: { readonly region: string };
}

export async function startWorld({ megabytes, release = '3.6', retention, replica }: WorldOptions): Promise<World> {
  const [cloud, etcd] = await Promise.all([startLocalCloud({ schedules: false }), startEtcdCluster({ release })]);
  await seedKubernetesData(etcd, { megabytes });
  const lifeboat = await deployLifeboat(cloud, { endpoints: etcd.endpoints, retention, replica });
  await lifeboat.putSecret(etcd.credentials);
  const lambda = new LambdaClient(cloud.clientConfig());
  const client = clientOf(etcd);
  return {
    cloud,
    etcd,
    lifeboat,
    pointAt: async (endpoints) => {
      for (const FunctionName of [lifeboat.takeSnapshotFunction, lifeboat.watchMembersFunction]) {
        const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
        const Variables = { ...Environment?.Variables, [Env.etcdEndpoints]: endpoints.join(',') };
        await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
      }
    },
    traces: async () => {
      const { Uploads = [] } = await lifeboat.s3.send(new ListMultipartUploadsCommand({ Bucket: lifeboat.bucket }));
      const { header } = await client.kv.range({ key: Buffer.from('/registry/'), count_only: true });
      return { listed: (await lifeboat.snapshots()).length, openUploads: Uploads.length, etcdRevision: header.revision };
    },
    stop: async () => {
      client.close();
      lambda.destroy();
      await Promise.all([cloud.stop(), etcd.stop()]);
    },
  };
}
