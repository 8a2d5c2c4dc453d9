import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import { snapshotsPrefix } from '../../lambdas/contract/s3-keys';
import { StartSchedule } from '../platform/start-schedule';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';

export interface ReplicaWatchProps {
  /** What every function of the cluster shares; the network is left out, since a gateway endpoint leads to S3 of its own region alone. */
  readonly functions: FunctionDefaults;

  /** Where the snapshots are. */
  readonly source: IBucket;

  /** Where S3 copies them to. */
  readonly target: IBucket;

  /**
   * When both are compared: an expression of EventBridge Scheduler, in UTC.
   *
   * @default 'rate(15 minutes)', the time within which S3 promises to copy
   */
  readonly schedule?: string;
}

/** Measures how far the copy in the other region is behind, by looking there. It may list both buckets and read neither. */
export class ReplicaWatch extends Construct {
  readonly watchReplica: LifeboatFunction;

  constructor(scope: Construct, id: string, { functions, source, target, schedule = 'rate(15 minutes)' }: ReplicaWatchProps) {
    super(scope, id);
    this.watchReplica = new LifeboatFunction(this, 'WatchReplica', {
      ...functions,
      network: undefined,
      entry: 'lambdas/backup/watch-replica.handler.ts',
      description: 'compare the snapshots with their copies in the other region',
      timeout: Duration.minutes(2),
    });
    this.watchReplica.setEnvironment(Env.stateBucket, source.bucketName);
    this.watchReplica.setEnvironment(Env.replicaBucket, target.bucketName);
    this.watchReplica.setEnvironment(Env.replicaRegion, target.env.region);
    this.watchReplica.addToRolePolicy(
      new PolicyStatement({
        actions: ['s3:ListBucket'],
        resources: [source.bucketArn, target.bucketArn],
        conditions: { StringEquals: { 's3:prefix': snapshotsPrefix(functions.clusterName) } },
      }),
    );
    new StartSchedule(this, 'Schedule', {
      clusterName: functions.clusterName,
      target: this.watchReplica,
      purpose: 'compare the replica',
      expression: schedule,
      input: ScheduleTargetInput.fromObject({}),
      deadLetterQueue: functions.deadLetterQueue,
    });
  }
}
