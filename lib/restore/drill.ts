import { Duration, Size } from 'aws-cdk-lib';
import { ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import { DISK_HEADROOM_GIB } from '../../lambdas/contract/limits';
import { DRILL_ON_MACHINES } from '../../lambdas/contract/restore';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import { StartSchedule } from '../platform/start-schedule';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';
import type { StateBucket } from '../platform/state-bucket';
import { DrillAlarms } from './drill-alarms';

export interface DrillProps {
  /** What every function of the cluster shares; the network is left out, since a drill reads S3 alone. */
  readonly functions: FunctionDefaults;

  /** What every alarm of the cluster shares. */
  readonly alarms: AlarmDefaults;

  /** Where the snapshots are. */
  readonly state: StateBucket;

  /**
   * The restore runbook, when drills are held on machines of their own.
   *
   * @default - the function holds them, which boots no etcd
   */
  readonly onMachines?: IStateMachine;

  /** When the newest verified snapshot is drilled: an expression of EventBridge Scheduler, in UTC. */
  readonly schedule: string;

  /** How long ago the last drill may have passed. */
  readonly alarmAfter: Duration;

  /** Size of the largest database, in whole GiB; the function's own disk is this and a headroom of 1 GiB. */
  readonly maxDbSizeGiB: number;
}

/**
 * Proves by schedule that what lies in S3 can still bring a cluster back.
 *
 * On machines it is the restore runbook itself, which boots members from the snapshot and puts the machines back. Without machines a function
 * fetches the file whole, judges it as a backup does, and compares it with the manifest. That is weaker: no etcd runs.
 */
export class Drill extends Construct {
  readonly drillInFunction: LifeboatFunction;

  constructor(scope: Construct, id: string, { functions, alarms, state, onMachines, schedule, alarmAfter, maxDbSizeGiB }: DrillProps) {
    super(scope, id);
    this.drillInFunction = new LifeboatFunction(this, 'DrillInFunction', {
      ...functions,
      network: undefined,
      entry: 'lambdas/restore/drill-in-function.handler.ts',
      description: 'fetch a stored snapshot and prove that it is what was taken',
      // As a backup, of which it does the same half.
      memory: Size.mebibytes(2048),
      timeout: Duration.minutes(15),
      disk: Size.gibibytes(maxDbSizeGiB + DISK_HEADROOM_GIB),
      retryAttempts: 1,
    });
    this.drillInFunction.setEnvironment(Env.maxDbSizeGiB, String(maxDbSizeGiB));
    state.grantDrill(this.drillInFunction);
    new StartSchedule(this, 'Schedule', {
      clusterName: functions.clusterName,
      target: onMachines ?? this.drillInFunction,
      purpose: 'drill the newest snapshot',
      expression: schedule,
      input: ScheduleTargetInput.fromObject(onMachines === undefined ? {} : DRILL_ON_MACHINES),
      deadLetterQueue: functions.deadLetterQueue,
    });
    new DrillAlarms(this, 'Alarms', { alarms, alarmAfter });
  }
}
