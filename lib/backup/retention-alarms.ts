import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { Metric } from '../../lambdas/contract/metrics';
import { LifeboatAlarm } from '../monitoring/lifeboat-alarm';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import { lifeboatMetric } from '../monitoring/lifeboat-metric';
import { EVENT_PERIOD, UNTIL_NEXT_RUN } from '../monitoring/rules';

export interface RetentionAlarmsProps {
  readonly alarms: AlarmDefaults;

  /** The function whose failures are told; it runs every hour. */
  readonly pruneSnapshots: IFunction;
}

/** What can be wrong with the removal of old snapshots. None of it endangers a backup. */
export class RetentionAlarms extends Construct {
  constructor(scope: Construct, id: string, { alarms, pruneSnapshots }: RetentionAlarmsProps) {
    super(scope, id);
    const { clusterName } = alarms;

    new LifeboatAlarm(this, 'PruneFailing', {
      ...UNTIL_NEXT_RUN,
      alarms,
      article: 'Prune failing',
      urgency: 'act today',
      what: `Old snapshots of ${clusterName} have not been removed for three hours: each attempt failed.`,
      // As for backups, the least of Lambda's own zeros and ones. What one run leaves the next takes up, so only a row of them matters.
      metric: pruneSnapshots.metricErrors({ statistic: 'Minimum', period: Duration.hours(1) }),
      evaluationPeriods: 3,
    });

    new LifeboatAlarm(this, 'RemovalsDenied', {
      ...UNTIL_NEXT_RUN,
      alarms,
      article: 'Removals denied',
      urgency: 'act today',
      what: `S3 refuses to remove snapshots of ${clusterName} that retention no longer wants.`,
      metric: lifeboatMetric(Metric.snapshotRemovalsDenied, { clusterName }, { statistic: 'Maximum', period: EVENT_PERIOD }),
    });

    new LifeboatAlarm(this, 'ManifestsDamaged', {
      ...UNTIL_NEXT_RUN,
      alarms,
      article: 'Manifests damaged',
      urgency: 'act today',
      what: `The bucket holds snapshots of ${clusterName} whose manifests or objects are not as they were written.`,
      metric: lifeboatMetric(Metric.manifestsDamaged, { clusterName }, { statistic: 'Maximum', period: EVENT_PERIOD }),
    });
  }
}
