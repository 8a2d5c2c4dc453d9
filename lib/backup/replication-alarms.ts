import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { CLUSTER_DIMENSION, METRIC_NAMESPACE, Metric as Name } from '../../lambdas/contract/metrics';
import { ReplicationRuleId } from '../platform/replication';

export interface ReplicationAlarmsProps {
  /** Name of the cluster whose snapshots are copied. */
  readonly clusterName: string;

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
  constructor(scope: Construct, id: string, { clusterName, source, target }: ReplicationAlarmsProps) {
    super(scope, id);
    new Alarm(this, 'Lags', {
      alarmDescription: `Replication lags: a snapshot of ${clusterName} is not whole in the other region, or nobody could look`,
      metric: new Metric({
        namespace: METRIC_NAMESPACE,
        metricName: Name.replicaBehind,
        dimensionsMap: { [CLUSTER_DIMENSION]: clusterName },
        statistic: 'Maximum',
        // Two measurements, so that one that comes late leaves no gap.
        period: Duration.minutes(30),
      }),
      threshold: LATE.toSeconds(),
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.BREACHING,
    });
    new Alarm(this, 'Fails', {
      alarmDescription: `Replication fails: S3 gave up copying a snapshot of ${clusterName} to the other region`,
      metric: new Metric({
        namespace: 'AWS/S3',
        metricName: 'OperationsFailedReplication',
        dimensionsMap: { SourceBucket: source.bucketName, DestinationBucket: target.bucketName, RuleId: ReplicationRuleId.snapshots },
        statistic: 'Sum',
        period: Duration.minutes(5),
      }),
      threshold: 0,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      // S3 publishes it only while something is copied.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}
