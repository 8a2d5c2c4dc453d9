import { Duration, Size } from 'aws-cdk-lib';
import { ContextAttribute, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import { DISK_HEADROOM_GIB } from '../../lambdas/contract/limits';
import type { LockPolicy } from '../../lambdas/contract/retention';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import type { EtcdClientSecret } from '../platform/etcd-client-secret';
import { StartSchedule } from '../platform/start-schedule';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';
import type { StateBucket } from '../platform/state-bucket';
import { BackupAlarms } from './backup-alarms';

export interface BackupProps {
  /** What every function of the cluster shares. */
  readonly functions: FunctionDefaults;

  /** What every alarm of the cluster shares. */
  readonly alarms: AlarmDefaults;

  /** How old the newest verified snapshot may become before somebody is told. */
  readonly alarmAfter: Duration;

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

  /** How long nobody can delete a snapshot. */
  readonly lock: LockPolicy;
}

/** Takes snapshots by schedule, and tells when they are missing. */
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
    this.takeSnapshot.setEnvironment(Env.lockPolicy, JSON.stringify(props.lock));
    props.state.grantSnapshots(this.takeSnapshot);
    props.state.grantLock(this.takeSnapshot, 'backup');
    props.state.grantLedger(this.takeSnapshot);
    props.state.grantReadGenerations(this.takeSnapshot);
    props.etcdClient.grantRead(this.takeSnapshot);

    new StartSchedule(this, 'Schedule', {
      clusterName: props.functions.clusterName,
      target: this.takeSnapshot,
      purpose: 'take a snapshot',
      expression: props.schedule,
      input: ScheduleTargetInput.fromObject({ trigger: 'scheduled', scheduledAt: ContextAttribute.scheduledTime }),
      deadLetterQueue: props.functions.deadLetterQueue,
    });
    new BackupAlarms(this, 'Alarms', { alarms: props.alarms, takeSnapshot: this.takeSnapshot, alarmAfter: props.alarmAfter });
  }
}
