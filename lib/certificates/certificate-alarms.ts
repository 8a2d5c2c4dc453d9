import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { Metric } from '../../lambdas/contract/metrics';
import { LifeboatAlarm } from '../monitoring/lifeboat-alarm';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import { lifeboatMetric } from '../monitoring/lifeboat-metric';
import { EVENT_PERIOD, UNTIL_NEXT_RUN } from '../monitoring/rules';

/** One look a day. */
const DAY = Duration.days(1);
const LONGEST = 14;
/** The lifeboat renews long before the first of them. */
const LADDER = [
  { id: 'EndsWithinTwoWeeks', article: 'Certificate ends within two weeks', days: LONGEST, urgency: 'act today' },
  { id: 'EndsWithinAWeek', article: 'Certificate ends within a week', days: 7, urgency: 'act now' },
  { id: 'EndsWithinADay', article: 'Certificate ends within a day', days: 1, urgency: 'act now' },
] as const;

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
      // The worst of a day: that one node has its new set says nothing of another, which failed.
      metric: lifeboatMetric(Metric.certificatesRotated, { clusterName }, { statistic: 'Minimum', period: DAY }),
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
    });
    for (const { id: name, article, days, urgency } of LADDER) {
      new LifeboatAlarm(this, name, {
        alarms,
        article,
        urgency,
        what: `A certificate of the control plane of ${clusterName} ends within ${days} days, or nobody looks at them any more.`,
        metric: lifeboatMetric(Metric.certificateDaysLeft, { clusterName }, { statistic: 'Minimum', period: DAY }),
        comparisonOperator: ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
        threshold: days,
        // One look that is missing is a day on which something was away; two are nobody that looks.
        evaluationPeriods: days === LONGEST ? 2 : 1,
        treatMissingData: days === LONGEST ? TreatMissingData.BREACHING : TreatMissingData.IGNORE,
      });
    }
    new LifeboatAlarm(this, 'AuthorityEnds', {
      alarms,
      article: 'Authority ends soon',
      urgency: 'act today',
      what: `An authority of ${clusterName} ends within 90 days, and every certificate that it signs ends with it.`,
      metric: lifeboatMetric(Metric.authorityDaysLeft, { clusterName }, { statistic: 'Minimum', period: DAY }),
      comparisonOperator: ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 90,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.IGNORE,
    });
    new LifeboatAlarm(this, 'CertificatesWrong', {
      ...UNTIL_NEXT_RUN,
      alarms,
      article: 'Certificates wrong',
      urgency: 'act today',
      what: `A certificate of the control plane of ${clusterName} does not do its work, or a port serves another one than its file.`,
      metric: lifeboatMetric(Metric.certificatesWrong, { clusterName }, { statistic: 'Maximum', period: EVENT_PERIOD }),
    });
  }
}
