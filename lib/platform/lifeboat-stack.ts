import { CfnOutput, Duration, Stack, Tags, Validations } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { Backup } from '../backup/backup';
import { MemberAlarms } from '../backup/member-alarms';
import { Retention } from '../backup/retention';
import { alarmAfterSeconds } from '../config/schedule-pauses';
import type { ClusterConfig, NetworkConfig } from '../config/schema';
import { alarmReceiver } from '../monitoring/alarm-topic';
import { ClusterDashboard } from '../monitoring/cluster-dashboard';
import { DeadLetterAlarm } from '../monitoring/dead-letter-alarm';
import { LifeboatAlarm } from '../monitoring/lifeboat-alarm';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
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
    const alarms: AlarmDefaults = { clusterName, topic: alarmReceiver(this, 'Alarms', clusterName, cluster.alarms) };
    const { takeSnapshot } = new Backup(this, 'Backup', {
      functions,
      alarms,
      alarmAfter: Duration.seconds(alarmAfterSeconds(cluster.backup.schedule, cluster.backup.alarmAfterHours)),
      state,
      etcdClient,
      endpoints: cluster.etcd.endpoints,
      schedule: cluster.backup.schedule,
      maxDbSizeGiB: cluster.backup.maxDbSizeGiB,
      lock: cluster.backup.lock,
    });
    const { pruneSnapshots } = new Retention(this, 'Retention', { functions, alarms, state, policy: cluster.backup.retention });
    new MemberAlarms(this, 'Members', { alarms, endpoints: cluster.etcd.endpoints });
    new DeadLetterAlarm(this, 'DeadLettersAlarm', { alarms, queue: deadLetterQueue });
    new ClusterDashboard(this, 'Dashboard', {
      clusterName,
      endpoints: cluster.etcd.endpoints,
      functions: { 'take-snapshot': takeSnapshot, 'prune-snapshots': pruneSnapshots },
      bucket: state.bucket,
      deadLetterQueue,
      alarms: LifeboatAlarm.in(this),
    });

    new ClusterDirectory(this, 'Directory', {
      version: 1,
      cluster: clusterName,
      stateBucket: state.bucket.bucketName,
      etcdClientSecretArn: etcdClient.secret.secretArn,
      takeSnapshotFunction: takeSnapshot.functionName,
      takeSnapshotLogGroup: takeSnapshot.logGroup.logGroupName,
      pruneSnapshotsFunction: pruneSnapshots.functionName,
      pruneSnapshotsLogGroup: pruneSnapshots.logGroup.logGroupName,
      deadLetterQueueUrl: deadLetterQueue.queueUrl,
    });
    new CfnOutput(this, 'StateBucketName', { value: state.bucket.bucketName });
    new CfnOutput(this, 'TakeSnapshotFunctionName', { value: takeSnapshot.functionName });
    new CfnOutput(this, 'PruneSnapshotsFunctionName', { value: pruneSnapshots.functionName });
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
