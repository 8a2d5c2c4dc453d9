import { Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import { Role, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { ContextAttribute, Schedule, ScheduleExpression, ScheduleGroup, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import { DISK_HEADROOM_GIB } from '../../lambdas/contract/limits';
import type { EtcdClientSecret } from '../platform/etcd-client-secret';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';
import type { StateBucket } from '../platform/state-bucket';

export interface BackupProps {
  /** What every function of the cluster shares. */
  readonly functions: FunctionDefaults;

  /** Where snapshots go. */
  readonly state: StateBucket;

  /** The certificate by which the members are reached. */
  readonly etcdClient: EtcdClientSecret;

  /** Client URLs of the members, `https://host:port`. */
  readonly endpoints: readonly string[];

  /** When a snapshot is taken: an expression of EventBridge Scheduler, in UTC. */
  readonly schedule: string;

  /** Size of the largest database, in whole GiB; the function's own disk is this and a headroom of 1 GiB. */
  readonly maxDbSizeGiB: number;
}

/** Takes snapshots by schedule. */
export class Backup extends Construct {
  readonly takeSnapshot: LifeboatFunction;

  constructor(scope: Construct, id: string, props: BackupProps) {
    const largest = 10 - DISK_HEADROOM_GIB;
    if (!Number.isInteger(props.maxDbSizeGiB) || props.maxDbSizeGiB < 1 || props.maxDbSizeGiB > largest) {
      throw new RangeError(`maxDbSizeGiB is ${props.maxDbSizeGiB}, give a whole number from 1 to ${largest}`);
    }
    if (props.endpoints.length === 0) throw new RangeError('endpoints is empty, give at least 1 etcd member');
    super(scope, id);

    this.takeSnapshot = new LifeboatFunction(this, 'TakeSnapshot', {
      ...props.functions,
      entry: 'lambdas/backup/take-snapshot.handler.ts',
      description: 'take a snapshot of etcd, verify it and publish it',
      speaksToEtcd: true,
      // More than one processor (1769 MiB): the stream is hashed and compressed while it is uploaded. Memory itself stays flat.
      memory: Size.mebibytes(2048),
      timeout: Duration.minutes(15),
      disk: Size.gibibytes(props.maxDbSizeGiB + DISK_HEADROOM_GIB),
      // Two, so that a run started by hand meets the lock and says that a backup is in progress, instead of being throttled unheard.
      reservedConcurrency: 2,
      // Once more for what passes by itself, such as an election. The next slot of the schedule is the better third try.
      retryAttempts: 1,
    });
    this.takeSnapshot.setEnvironment(Env.etcdEndpoints, props.endpoints.join(','));
    this.takeSnapshot.setEnvironment(Env.maxDbSizeGiB, String(props.maxDbSizeGiB));
    props.state.grantSnapshots(this.takeSnapshot);
    props.state.grantLock(this.takeSnapshot, 'backup');
    props.etcdClient.grantRead(this.takeSnapshot);

    this.scheduleSnapshots(props);
  }

  private scheduleSnapshots({ functions: { clusterName, deadLetterQueue }, schedule }: BackupProps): void {
    // A group of its own, so that no other cluster's schedule can assume the role. Its name is fixed: kept, it would be in the way.
    const scheduleGroup = new ScheduleGroup(this, 'Schedules', { removalPolicy: RemovalPolicy.DESTROY });
    const role = new Role(this, 'ScheduleRole', {
      description: `kube-lifeboat ${clusterName}: start snapshots by schedule`,
      // Scheduler names the group, not the schedule, as the source of its request.
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account, 'aws:SourceArn': scheduleGroup.scheduleGroupArn },
        },
      }),
    });
    // CDK's own target would allow every version and alias too (`:*`).
    role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.takeSnapshot.functionArn] }));
    role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLetterQueue.queueArn] }));
    new Schedule(this, 'Schedule', {
      description: `kube-lifeboat ${clusterName}: take a snapshot`,
      schedule: ScheduleExpression.expression(schedule),
      scheduleGroup,
      target: {
        bind: () => ({
          arn: this.takeSnapshot.functionArn,
          role,
          input: ScheduleTargetInput.fromObject({ trigger: 'scheduled', scheduledAt: ContextAttribute.scheduledTime }),
          // Only for starting the run, which is answered at once; a run that fails is Lambda's to repeat.
          retryPolicy: { maximumRetryAttempts: 5, maximumEventAgeInSeconds: Duration.minutes(15).toSeconds() },
          deadLetterConfig: { arn: deadLetterQueue.queueArn },
        }),
      },
    });
  }
}
