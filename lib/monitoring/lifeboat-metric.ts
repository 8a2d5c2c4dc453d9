import type { Duration } from 'aws-cdk-lib';
import { Metric as CloudWatchMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { CLUSTER_DIMENSION, ENDPOINT_DIMENSION, METRIC_NAMESPACE, dimensionsOf } from '../../lambdas/contract/metrics';
import type { MetricName } from '../../lambdas/contract/metrics';

export interface MetricSubject {
  /** Name of the cluster that the metric is about. */
  readonly clusterName: string;

  /**
   * Client URL of the member that the metric is about, as the config gives it.
   *
   * @default - the metric is about the cluster as a whole
   */
  readonly endpoint?: string;
}

export interface MetricView {
  /** How the points of a period become one: `Maximum`, `Minimum`, `Sum`, `Average`. */
  readonly statistic: string;

  /** Length of a period. */
  readonly period: Duration;

  /**
   * What a graph calls it.
   *
   * @default - the name of the metric
   */
  readonly label?: string;
}

/** A metric that the functions emit, under exactly the dimensions that they emit it under. */
export function lifeboatMetric(metricName: MetricName, { clusterName, endpoint }: MetricSubject, view: MetricView): CloudWatchMetric {
  const ofOneMember = dimensionsOf(metricName).includes(ENDPOINT_DIMENSION);
  if (ofOneMember !== (endpoint !== undefined))
    throw new RangeError(
      `${metricName} is said of ${ofOneMember ? 'one member: give its endpoint' : 'the whole cluster: give no endpoint'}`,
    );
  const dimensionsMap = { [CLUSTER_DIMENSION]: clusterName, ...(endpoint !== undefined && { [ENDPOINT_DIMENSION]: endpoint }) };
  return new CloudWatchMetric({ namespace: METRIC_NAMESPACE, metricName, dimensionsMap, ...view });
}
