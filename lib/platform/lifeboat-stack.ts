import { CfnOutput, Duration, Stack, Tags, Validations } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { Backup } from '../backup/backup';
import { MemberAlarms } from '../backup/member-alarms';
import { ReplicaWatch } from '../backup/replica-watch';
import { ReplicationAlarms } from '../backup/replication-alarms';
import { Retention } from '../backup/retention';
import { WatchMembers } from '../backup/watch-members';
import { alarmAfterSeconds } from '../config/schedule-pauses';
import { Certificates } from '../certificates/certificates';
import { rotateCaArn } from '../certificates/exchange';
import { certificateSettings, exchangePolicy } from '../certificates/certificate-settings';
import type { ClusterConfig, NetworkConfig } from '../config/schema';
import { ApiRecord } from '../dns/api-record';
import { Drill } from '../restore/drill';
import { alarmReceiver } from '../monitoring/alarm-topic';
import { ClusterDashboard } from '../monitoring/cluster-dashboard';
import { DeadLetterAlarm } from '../monitoring/dead-letter-alarm';
import { LifeboatAlarm } from '../monitoring/lifeboat-alarm';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import { NodeDocuments } from '../nodes/node-documents';
import { NodeSending } from '../nodes/node-sending';
import { Materialize } from '../restore/materialize';
import { ReplaceMember } from '../restore/replace-member';
import { Restore } from '../restore/restore';
import { ClusterDirectory } from './cluster-directory';
import { clusterKey } from './cluster-key';
import { DeadLetterQueue } from './dead-letter-queue';
import { EtcdClientSecret } from './etcd-client-secret';
import { FunctionNetwork } from './function-network';
import type { FunctionDefaults, LifeboatFunction } from './lifeboat-function';
import { ReplicaStack } from './replica-stack';
import { StateBucket } from './state-bucket';
import { warningsOf } from './warnings';

/**
 * Everything of one cluster. Nothing is shared between clusters: no key, no bucket, no role, no queue.
 *
 * What must lie in another region is in a stack of its own beside it.
 */
export class LifeboatStack extends Stack {
  /** Where the config asks for a copy in another region. */
  readonly replica?: ReplicaStack;

  constructor(scope: Construct, cluster: ClusterConfig) {
    const { name: clusterName, account, region, tags } = cluster;
    super(scope, `Lifeboat-${clusterName}`, {
      description: `kube-lifeboat: keeps the control plane of ${clusterName} recoverable`,
      env: { account, region },
      terminationProtection: cluster.terminationProtection,
      tags,
      // CloudFormation takes a megabyte, and a third of this would be blanks.
      suppressTemplateIndentation: true,
    });
    for (const [key, value] of Object.entries({ ...tags, 'lifeboat/cluster': clusterName })) Tags.of(this).add(key, value);

    for (const { id, message } of warningsOf(cluster)) Validations.of(this).addWarning(id, message);

    const encryptionKey = clusterKey(this, 'Key', { clusterName, keyArn: cluster.kms?.keyArn });
    if (cluster.backup.replica !== undefined) this.replica = new ReplicaStack(scope, cluster, cluster.backup.replica.region);
    const replica = this.replica?.seenFrom(this);
    const state = new StateBucket(this, 'State', { clusterName, encryptionKey, replica });
    const etcdClient = new EtcdClientSecret(this, 'EtcdClient', { clusterName, encryptionKey });
    const deadLetterQueue = new DeadLetterQueue(this, 'DeadLetters');
    const logRetention = retentionDays(cluster.logs.retentionDays);
    const network = cluster.network && functionNetwork(this, cluster, cluster.network);
    const functions: FunctionDefaults = { clusterName, deadLetterQueue, logRetention, network };
    const topic = alarmReceiver(this, 'Alarms', clusterName, cluster.alarms);
    const alarms: AlarmDefaults = { clusterName, topic };
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
    const { endpoints } = cluster.etcd;
    const { watchMembers } = new WatchMembers(this, 'Watch', { functions, state, etcdClient, endpoints });
    const { materializeSnapshot } = new Materialize(this, 'Materialize', { functions, state });
    const { manifestDir, etcdDataDir, pkiDir, tag, drillTag } = cluster.nodes;
    new NodeDocuments(this, 'NodeDocuments', { clusterName, manifestDir, etcdDataDir, pkiDir });
    const nodeTags = { controlPlane: tag, drill: drillTag };
    const sending = new NodeSending(this, 'Nodes', { functions: { ...functions, network: undefined }, tags: [tag, drillTag] });
    const apiRecord =
      cluster.api &&
      new ApiRecord(this, 'ApiRecord', {
        ...{ functions, alarms, state, sending, tags: nodeTags },
        settings: cluster.api,
      });
    const syncApiRecord = apiRecord?.syncApiRecord;
    const restore = new Restore(this, 'Restore', {
      functions,
      state,
      etcdClient,
      endpoints,
      ...{ tags: nodeTags, sending, syncApiRecord },
      takeSnapshot,
      materializeSnapshot,
      topic,
      rotateCa: cluster.certificates && rotateCaArn(this, clusterName),
      apiUrl: cluster.api && `https://${cluster.api.name}:${cluster.api.port}`,
      logRetention,
    });
    const { controlPlaneLock } = restore;
    const replaceMember = new ReplaceMember(this, 'ReplaceMember', {
      ...{ functions, state, etcdClient, endpoints, sending, controlPlaneLock, topic, logRetention, tags: nodeTags, syncApiRecord },
    });
    const certificates =
      cluster.certificates &&
      new Certificates(this, 'Certificates', {
        ...{
          functions,
          alarms,
          state,
          encryptionKey,
          etcdClient,
          endpoints,
          sending,
          controlPlaneLock,
          topic,
          logRetention,
          tags: nodeTags,
        },
        settings: certificateSettings(cluster.certificates, cluster.api),
        exchangePolicy: exchangePolicy(cluster.certificates),
      });
    const { pruneSnapshots } = new Retention(this, 'Retention', { functions, alarms, state, policy: cluster.backup.retention });
    const { drillInFunction } = new Drill(this, 'Drill', {
      functions,
      alarms,
      state,
      onMachines: cluster.backup.drill.on === 'machines' ? restore.stateMachine : undefined,
      schedule: cluster.backup.drill.schedule,
      alarmAfter: Duration.days(cluster.backup.drill.alarmAfterDays),
      maxDbSizeGiB: cluster.backup.maxDbSizeGiB,
    });
    const copy = replica && { source: state.bucket, target: replica.bucket };
    const watch = copy && new ReplicaWatch(this, 'ReplicaWatch', { functions, ...copy });
    if (copy !== undefined) new ReplicationAlarms(this, 'Replication', { alarms, ...copy });
    new MemberAlarms(this, 'Members', { alarms, endpoints });
    new DeadLetterAlarm(this, 'DeadLettersAlarm', { alarms, queue: deadLetterQueue });
    new ClusterDashboard(this, 'Dashboard', {
      clusterName,
      endpoints,
      functions: {
        'take-snapshot': takeSnapshot,
        'watch-members': watchMembers,
        'prune-snapshots': pruneSnapshots,
        'materialize-snapshot': materializeSnapshot,
        'drill-in-function': drillInFunction,
        ...certificates?.functions,
        ...apiRecord?.functions,
        ...(watch !== undefined && { 'watch-replica': watch.watchReplica }),
      },
      bucket: state.bucket,
      deadLetterQueue,
      replicated: copy !== undefined,
      certificates: certificates !== undefined,
      apiRecord: apiRecord !== undefined,
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
      watchMembersFunction: watchMembers.functionName,
      watchMembersLogGroup: watchMembers.logGroup.logGroupName,
      materializeSnapshotFunction: materializeSnapshot.functionName,
      materializeSnapshotLogGroup: materializeSnapshot.logGroup.logGroupName,
      drillFunction: drillInFunction.functionName,
      drillLogGroup: drillInFunction.logGroup.logGroupName,
      deadLetterQueueUrl: deadLetterQueue.queueUrl,
      replaceMemberStateMachine: replaceMember.stateMachine.stateMachineArn,
      restoreStateMachine: restore.stateMachine.stateMachineArn,
      ...(certificates && {
        adoptStateMachine: certificates.adopt.stateMachineArn,
        scanStateMachine: certificates.scan.stateMachineArn,
        repairStateMachine: certificates.repair.stateMachineArn,
        rotateCaStateMachine: certificates.exchange.stateMachineArn,
        certificateLogGroups: logGroups(certificates.functions),
      }),
      ...(apiRecord && {
        syncApiRecordFunction: apiRecord.syncApiRecord.functionName,
        apiRecordLogGroups: logGroups(apiRecord.functions),
      }),
      restoreLogGroups: logGroups({ ...restore.functions, ...replaceMember.functions }),
      replica: replica &&
        watch && {
          bucket: replica.bucket.bucketName,
          region: replica.bucket.env.region,
          watchFunction: watch.watchReplica.functionName,
          watchLogGroup: watch.watchReplica.logGroup.logGroupName,
        },
    });
    new CfnOutput(this, 'StateBucketName', { value: state.bucket.bucketName });
    new CfnOutput(this, 'TakeSnapshotFunctionName', { value: takeSnapshot.functionName });
    new CfnOutput(this, 'PruneSnapshotsFunctionName', { value: pruneSnapshots.functionName });
    new CfnOutput(this, 'WatchMembersFunctionName', { value: watchMembers.functionName });
    new CfnOutput(this, 'MaterializeSnapshotFunctionName', { value: materializeSnapshot.functionName });
    new CfnOutput(this, 'DrillFunctionName', { value: drillInFunction.functionName });
    new CfnOutput(this, 'EtcdClientSecretArn', { value: etcdClient.secret.secretArn });
    new CfnOutput(this, 'ReplaceMemberStateMachineArn', { value: replaceMember.stateMachine.stateMachineArn });
    new CfnOutput(this, 'RestoreStateMachineArn', { value: restore.stateMachine.stateMachineArn });
    if (certificates !== undefined) {
      new CfnOutput(this, 'AdoptStateMachineArn', { value: certificates.adopt.stateMachineArn });
      new CfnOutput(this, 'RepairStateMachineArn', { value: certificates.repair.stateMachineArn });
      new CfnOutput(this, 'RotateCaStateMachineArn', { value: certificates.exchange.stateMachineArn });
      new CfnOutput(this, 'ScanStateMachineArn', { value: certificates.scan.stateMachineArn });
      for (const [name, { functionName }] of Object.entries(certificates.functions))
        new CfnOutput(
          this,
          `CertificateFunction-${name}`.replaceAll(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase()),
          { value: functionName },
        );
    }
    if (apiRecord !== undefined) {
      new CfnOutput(this, 'SyncApiRecordFunctionName', { value: apiRecord.syncApiRecord.functionName });
      new CfnOutput(this, 'ProbeApiFunctionName', { value: apiRecord.probeApi.functionName });
    }
    new CfnOutput(this, 'DeadLetterQueueUrl', { value: deadLetterQueue.queueUrl });
    if (watch !== undefined) new CfnOutput(this, 'WatchReplicaFunctionName', { value: watch.watchReplica.functionName });
  }
}

function functionNetwork(
  scope: Construct,
  { name, certificates }: ClusterConfig,
  { endpoints, ...network }: NetworkConfig,
): FunctionNetwork {
  return new FunctionNetwork(scope, 'Network', {
    clusterName: name,
    readsNodeSecrets: certificates !== undefined,
    ...network,
    s3RouteTableIds: endpoints.s3 === 'existing' ? undefined : endpoints.s3.routeTableIds,
    createSecretsManagerEndpoint: endpoints.secretsManager === 'create',
  });
}

const logGroups = (functions: Readonly<Record<string, LifeboatFunction>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(functions).map(([name, { logGroup }]) => [name, logGroup.logGroupName]));

/** The period as CDK names it: its enumeration holds the same numbers as the schema of the config. */
function retentionDays(days: number): RetentionDays {
  const period = Object.values(RetentionDays).find((candidate) => Number(candidate) === days);
  if (typeof period !== 'number') throw new RangeError(`logs.retentionDays is ${days}, give a period that CloudWatch Logs knows`);
  return period;
}
