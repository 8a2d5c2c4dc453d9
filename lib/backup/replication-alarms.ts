import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, Metric as CloudWatchMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { Metric } from '../../lambdas/contract/metrics';
import { LifeboatAlarm } from '../monitoring/lifeboat-alarm';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import { lifeboatMetric } from '../monitoring/lifeboat-metric';
import { EVENT_PERIOD } from '../monitoring/rules';
import { ReplicationRuleId } from '../platform/replication';

export interface ReplicationAlarmsProps {
  readonly alarms: AlarmDefaults;

  /** The bucket that snapshots are copied from. */
  readonly source: IBucket;

  /** The bucket that they are copied to. */
  readonly target: IBucket;
}

/** S3 promises 15 minutes; the measurement comes every 15. */
const LATE = Duration.minutes(30);

/**
 * Says that the copy in the other region is late, or that S3 gave one up.
 *
 * S3 publishes ReplicationLatency, BytesPendingReplication and OperationsPendingReplication in the region of the target and none of them
 * once the target is gone, and OperationsFailedReplication in the region of the source
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html). An alarm tells only topics of its own region, so what is
 * late is measured by watch-replica, here.
 */
export class ReplicationAlarms extends Construct {
  constructor(scope: Construct, id: string, { alarms, source, target }: ReplicationAlarmsProps) {
    super(scope, id);
    const { clusterName } = alarms;
    new LifeboatAlarm(this, 'Lags', {
      alarms,
      article: 'Replication lags',
      urgency: 'act today',
      what: `A snapshot of ${clusterName} is not whole in the other region half an hour after it was taken, or nobody could look.`,
      // Two measurements, so that one that comes late leaves no gap.
      metric: lifeboatMetric(Metric.replicaBehind, { clusterName }, { statistic: 'Maximum', period: Duration.minutes(30) }),
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: LATE.toSeconds(),
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.BREACHING,
    });
    new LifeboatAlarm(this, 'Fails', {
      alarms,
      article: 'Replication fails',
      urgency: 'act today',
      what: `S3 gave up copying a snapshot of ${clusterName} to the other region, and does not try it again by itself.`,
      metric: new CloudWatchMetric({
        namespace: 'AWS/S3',
        metricName: 'OperationsFailedReplication',
        dimensionsMap: { SourceBucket: source.bucketName, DestinationBucket: target.bucketName, RuleId: ReplicationRuleId.snapshots },
        statistic: 'Sum',
        period: EVENT_PERIOD,
      }),
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      evaluationPeriods: 1,
      // S3 publishes it only while something is copied.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}
