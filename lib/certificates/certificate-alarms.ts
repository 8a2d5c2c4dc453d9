import { ComparisonOperator } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { Metric } from '../../lambdas/contract/metrics';
import { LifeboatAlarm } from '../monitoring/lifeboat-alarm';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import { lifeboatMetric } from '../monitoring/lifeboat-metric';
import { EVENT_PERIOD, UNTIL_NEXT_RUN } from '../monitoring/rules';

/** What can be wrong with the rotation of certificates. */
export class CertificateAlarms extends Construct {
  constructor(scope: Construct, id: string, { alarms }: { readonly alarms: AlarmDefaults }) {
    super(scope, id);
    const { clusterName } = alarms;
    new LifeboatAlarm(this, 'RotationFailed', {
      ...UNTIL_NEXT_RUN,
      alarms,
      article: 'Certificate rotation failed',
      urgency: 'act today',
      what: `The certificates of a control-plane node of ${clusterName} were not exchanged; those that it has go on until their end.`,
      // The best of five minutes: Secrets Manager tries a rotation that failed again by itself.
      metric: lifeboatMetric(Metric.certificatesRotated, { clusterName }, { statistic: 'Maximum', period: EVENT_PERIOD }),
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
    });
  }
}
