import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { Metric } from '../../lambdas/contract/metrics';
import { LifeboatAlarm } from '../monitoring/lifeboat-alarm';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import { lifeboatMetric } from '../monitoring/lifeboat-metric';
import { EVENT_PERIOD, UNTIL_NEXT_RUN } from '../monitoring/rules';

export interface BackupAlarmsProps {
  readonly alarms: AlarmDefaults;

  /** The function whose failures are told. */
  readonly takeSnapshot: IFunction;

  /** How old the newest verified snapshot may become. */
  readonly alarmAfter: Duration;
}

/** What can be wrong with backups. */
export class BackupAlarms extends Construct {
  constructor(scope: Construct, id: string, { alarms, takeSnapshot, alarmAfter }: BackupAlarmsProps) {
    super(scope, id);
    const { clusterName } = alarms;

    new LifeboatAlarm(this, 'NoVerifiedSnapshot', {
      alarms,
      article: 'No verified snapshot',
      urgency: 'act now',
      what: `${clusterName} has had no verified snapshot for ${alarmAfter.toHumanString()}, or nobody measures it any more.`,
      // Measured every minute, so five minutes bear a measurement or two that are late or lost.
      metric: lifeboatMetric(Metric.verifiedSnapshotAge, { clusterName }, { statistic: 'Maximum', period: Duration.minutes(5) }),
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: alarmAfter.toSeconds(),
      // A dead man's switch: whatever stops the measuring, from a revoked right to a deleted schedule, is heard of here.
      evaluationPeriods: 2,
      treatMissingData: TreatMissingData.BREACHING,
    });

    new LifeboatAlarm(this, 'BackupFailed', {
      ...UNTIL_NEXT_RUN,
      alarms,
      article: 'Backup failed',
      urgency: 'act today',
      what: `Two attempts to take a snapshot of ${clusterName} failed within an hour.`,
      // Lambda's own count, in which runs are too that were killed, ran out of time or of memory, or could not even load. Two, since Lambda
      // repeats what failed once, and a repetition that goes well is no news. An hour, since each is dated by its start and told after its
      // end: a quarter of an hour for each, and the pause between them.
      metric: takeSnapshot.metricErrors({ statistic: 'Sum', period: Duration.hours(1) }),
      threshold: 2,
    });

    new LifeboatAlarm(this, 'UnverifiedSnapshot', {
      ...UNTIL_NEXT_RUN,
      alarms,
      article: 'Unverified snapshot',
      urgency: 'act today',
      what: `The last snapshot of ${clusterName} is sound, but a majority of the members did not confirm it.`,
      // The least, since a run that met a diverged member says both: it keeps the snapshot of that one and takes another.
      metric: lifeboatMetric(Metric.snapshotUnverified, { clusterName }, { statistic: 'Minimum', period: EVENT_PERIOD }),
    });
  }
}
