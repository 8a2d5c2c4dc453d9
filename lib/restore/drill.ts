import { Duration, Size } from 'aws-cdk-lib';
import { ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import { DISK_HEADROOM_GIB } from '../../lambdas/contract/limits';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import { FunctionSchedule } from '../platform/function-schedule';
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

  /** When the newest verified snapshot is drilled: an expression of EventBridge Scheduler, in UTC. */
  readonly schedule: string;

  /** How long ago the last drill may have passed. */
  readonly alarmAfter: Duration;

  /** Size of the largest database, in whole GiB; the function's own disk is this and a headroom of 1 GiB. */
  readonly maxDbSizeGiB: number;
}

/**
 * Proves by schedule that what lies in S3 is still what was taken: fetched whole, judged as a backup judges, compared with the manifest.
 *
 * ## Limitations
 *
 * It opens the file and runs no etcd: that members start from it is proven where a snapshot is restored.
 */
export class Drill extends Construct {
  readonly drillInFunction: LifeboatFunction;

  constructor(scope: Construct, id: string, { functions, alarms, state, schedule, alarmAfter, maxDbSizeGiB }: DrillProps) {
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
    new FunctionSchedule(this, 'Schedule', {
      clusterName: functions.clusterName,
      target: this.drillInFunction,
      purpose: 'drill the newest snapshot',
      expression: schedule,
      input: ScheduleTargetInput.fromObject({}),
      deadLetterQueue: functions.deadLetterQueue,
    });
    new DrillAlarms(this, 'Alarms', { alarms, alarmAfter });
  }
}
