import { CfnOutput, Stack, Tags, Validations } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { Backup } from '../backup/backup';
import { Retention } from '../backup/retention';
import { WatchMembers } from '../backup/watch-members';
import type { ClusterConfig, NetworkConfig } from '../config/schema';
import { ClusterDirectory } from './cluster-directory';
import { clusterKey } from './cluster-key';
import { DeadLetterQueue } from './dead-letter-queue';
import { EtcdClientSecret } from './etcd-client-secret';
import { FunctionNetwork } from './function-network';
import type { FunctionDefaults } from './lifeboat-function';
import { StateBucket } from './state-bucket';
import { warningsOf } from './warnings';

/** Everything of one cluster. Nothing is shared between clusters: no key, no bucket, no role, no queue. */
export class LifeboatStack extends Stack {
  constructor(scope: Construct, cluster: ClusterConfig) {
    const { name: clusterName, account, region, tags } = cluster;
    super(scope, `Lifeboat-${clusterName}`, {
      description: `kube-lifeboat: keeps the control plane of ${clusterName} recoverable`,
      env: { account, region },
      terminationProtection: cluster.terminationProtection,
      tags,
    });
    for (const [key, value] of Object.entries({ ...tags, 'lifeboat/cluster': clusterName })) Tags.of(this).add(key, value);

    for (const { id, message } of warningsOf(cluster)) Validations.of(this).addWarning(id, message);

    const encryptionKey = clusterKey(this, 'Key', { clusterName, keyArn: cluster.kms?.keyArn });
    const state = new StateBucket(this, 'State', { clusterName, encryptionKey });
    const etcdClient = new EtcdClientSecret(this, 'EtcdClient', { clusterName, encryptionKey });
    const deadLetterQueue = new DeadLetterQueue(this, 'DeadLetters');
    const logRetention = retentionDays(cluster.logs.retentionDays);
    const network = cluster.network && functionNetwork(this, clusterName, cluster.network);
    const functions: FunctionDefaults = { clusterName, deadLetterQueue, logRetention, network };
    const { takeSnapshot } = new Backup(this, 'Backup', {
      functions,
      state,
      etcdClient,
      endpoints: cluster.etcd.endpoints,
      schedule: cluster.backup.schedule,
      maxDbSizeGiB: cluster.backup.maxDbSizeGiB,
      lock: cluster.backup.lock,
    });
    const { watchMembers } = new WatchMembers(this, 'Watch', { functions, state, etcdClient, endpoints: cluster.etcd.endpoints });
    const { pruneSnapshots } = new Retention(this, 'Retention', { functions, state, policy: cluster.backup.retention });

    new ClusterDirectory(this, 'Directory', {
      version: 1,
      cluster: clusterName,
      stateBucket: state.bucket.bucketName,
      etcdClientSecretArn: etcdClient.secret.secretArn,
      takeSnapshotFunction: takeSnapshot.functionName,
      takeSnapshotLogGroup: takeSnapshot.logGroup.logGroupName,
      pruneSnapshotsFunction: pruneSnapshots.functionName,
      pruneSnapshotsLogGroup: pruneSnapshots.logGroup.logGroupName,
      watchMembersFunction: watchMembers.functionName,
      watchMembersLogGroup: watchMembers.logGroup.logGroupName,
      deadLetterQueueUrl: deadLetterQueue.queueUrl,
    });
    new CfnOutput(this, 'StateBucketName', { value: state.bucket.bucketName });
    new CfnOutput(this, 'TakeSnapshotFunctionName', { value: takeSnapshot.functionName });
    new CfnOutput(this, 'PruneSnapshotsFunctionName', { value: pruneSnapshots.functionName });
    new CfnOutput(this, 'WatchMembersFunctionName', { value: watchMembers.functionName });
    new CfnOutput(this, 'EtcdClientSecretArn', { value: etcdClient.secret.secretArn });
    new CfnOutput(this, 'DeadLetterQueueUrl', { value: deadLetterQueue.queueUrl });
  }
}

function functionNetwork(scope: Construct, clusterName: string, { endpoints, ...network }: NetworkConfig): FunctionNetwork {
  return new FunctionNetwork(scope, 'Network', {
    clusterName,
    ...network,
    s3RouteTableIds: endpoints.s3 === 'existing' ? undefined : endpoints.s3.routeTableIds,
    createSecretsManagerEndpoint: endpoints.secretsManager === 'create',
  });
}

/** The period as CDK names it: its enumeration holds the same numbers as the schema of the config. */
function retentionDays(days: number): RetentionDays {
  const period = Object.values(RetentionDays).find((candidate) => Number(candidate) === days);
  if (typeof period !== 'number') throw new RangeError(`logs.retentionDays is ${days}, give a period that CloudWatch Logs knows`);
  return period;
}
