import { Duration, Size } from 'aws-cdk-lib';
import { ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import type { RetentionPolicy } from '../../lambdas/contract/retention';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import { StartSchedule } from '../platform/start-schedule';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';
import type { StateBucket } from '../platform/state-bucket';
import { RetentionAlarms } from './retention-alarms';

export interface RetentionProps {
  /** What every function of the cluster shares; the network is left out, since pruning speaks to S3 alone. */
  readonly functions: FunctionDefaults;

  /** What every alarm of the cluster shares. */
  readonly alarms: AlarmDefaults;

  /** Where the snapshots are. */
  readonly state: StateBucket;

  /** Which snapshots survive. */
  readonly policy: RetentionPolicy;

  /**
   * When old snapshots are removed: an expression of EventBridge Scheduler, in UTC.
   *
   * @default 'cron(41 * * * ? *)'
   */
  readonly schedule?: string;
}

/** Removes the snapshots that the policy rejects, and objects that no manifest lists. */
export class Retention extends Construct {
  readonly pruneSnapshots: LifeboatFunction;

  constructor(scope: Construct, id: string, { functions, alarms, state, policy, schedule = 'cron(41 * * * ? *)' }: RetentionProps) {
    if (policy.floor < 1) throw new RangeError(`floor is ${policy.floor}, give at least 1 snapshot that survives any policy`);
    super(scope, id);
    this.pruneSnapshots = new LifeboatFunction(this, 'PruneSnapshots', {
      ...functions,
      network: undefined,
      entry: 'lambdas/backup/prune-snapshots.handler.ts',
      description: 'remove the snapshots that the retention policy rejects',
      memory: Size.mebibytes(512),
      // Five minutes are a thousand removals and the reading of as many manifests.
      timeout: Duration.minutes(5),
      retryAttempts: 1,
    });
    this.pruneSnapshots.setEnvironment(Env.retentionPolicy, JSON.stringify(policy));
    state.grantPrune(this.pruneSnapshots);
    state.grantLock(this.pruneSnapshots, 'prune');
    new StartSchedule(this, 'Schedule', {
      clusterName: functions.clusterName,
      target: this.pruneSnapshots,
      purpose: 'remove old snapshots',
      expression: schedule,
      input: ScheduleTargetInput.fromObject({}),
      deadLetterQueue: functions.deadLetterQueue,
    });
    new RetentionAlarms(this, 'Alarms', { alarms, pruneSnapshots: this.pruneSnapshots });
  }
}
