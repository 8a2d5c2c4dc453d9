import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { Metric } from '../../lambdas/contract/metrics';
import { LifeboatAlarm } from '../monitoring/lifeboat-alarm';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import { lifeboatMetric } from '../monitoring/lifeboat-metric';
import { EVENT_PERIOD, UNTIL_NEXT_RUN } from '../monitoring/rules';

export interface DrillAlarmsProps {
  readonly alarms: AlarmDefaults;

  /** How long ago the last drill may have passed. */
  readonly alarmAfter: Duration;
}

/** What can be wrong with drills. */
export class DrillAlarms extends Construct {
  constructor(scope: Construct, id: string, { alarms, alarmAfter }: DrillAlarmsProps) {
    super(scope, id);
    const { clusterName } = alarms;

    new LifeboatAlarm(this, 'DrillFailed', {
      ...UNTIL_NEXT_RUN,
      alarms,
      article: 'Drill failed',
      urgency: 'act today',
      what: `A stored snapshot of ${clusterName} is no longer what was taken, or machines on which it was tried did not come to serve it.`,
      metric: lifeboatMetric(Metric.drillPassed, { clusterName }, { statistic: 'Minimum', period: EVENT_PERIOD }),
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
    });

    new LifeboatAlarm(this, 'NoRecentDrill', {
      alarms,
      article: 'No recent drill',
      urgency: 'act today',
      what: `No drill of a snapshot of ${clusterName} has passed for ${alarmAfter.toHumanString()}, or nobody measures it any more.`,
      // A gauge: no alarm can look back further than a week. Pruning measures it every hour and waits for backups; the least, so that
      // a drill that passes ends the alarm within the hour.
      metric: lifeboatMetric(Metric.drillAge, { clusterName }, { statistic: 'Minimum', period: Duration.hours(6) }),
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: alarmAfter.toSeconds(),
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.BREACHING,
    });
  }
}
