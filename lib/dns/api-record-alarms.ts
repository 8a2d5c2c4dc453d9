import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { Metric } from '../../lambdas/contract/metrics';
import { LifeboatAlarm } from '../monitoring/lifeboat-alarm';
import type { AlarmDefaults, LifeboatAlarmProps } from '../monitoring/lifeboat-alarm';
import { lifeboatMetric } from '../monitoring/lifeboat-metric';
import { WATCH_PERIOD } from '../monitoring/rules';

/** Runs in a row until somebody is told: one minute may be that of a change. */
const MINUTES = 3;
/** AWS says "generally within 60 seconds" of a change, and of a guard that is lifted it is put back at the end of the run. */
const MINUTES_OF_A_CHANGE = 5;

/** What can be wrong with the name of the API. */
export class ApiRecordAlarms extends Construct {
  constructor(scope: Construct, id: string, { alarms }: { readonly alarms: AlarmDefaults }) {
    super(scope, id);
    const { clusterName } = alarms;
    const ofMinutes = (metric: Parameters<typeof lifeboatMetric>[0], statistic: 'Minimum' | 'Maximum') =>
      lifeboatMetric(metric, { clusterName }, { statistic, period: WATCH_PERIOD });
    const below = {
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: 1,
      treatMissingData: TreatMissingData.BREACHING,
    };
    const from = (threshold: number) => ({
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold,
      treatMissingData: TreatMissingData.IGNORE,
    });
    const kinds: Readonly<Record<string, Omit<LifeboatAlarmProps, 'alarms'>>> = {
      NameDoesNotAnswer: {
        ...below,
        article: 'API name does not answer',
        urgency: 'act now',
        what: `The name of the API of ${clusterName} leads to nothing that answers with a certificate for it, or nobody looks any more.`,
        metric: ofMinutes(Metric.apiNameAnswers, 'Maximum'),
        evaluationPeriods: MINUTES,
      },
      NoTarget: {
        ...below,
        treatMissingData: TreatMissingData.IGNORE,
        article: 'No API server answers',
        urgency: 'act now',
        what: `No API server of ${clusterName} answers behind its name; the record stays as it is.`,
        metric: ofMinutes(Metric.apiTargetsAnswering, 'Maximum'),
        evaluationPeriods: MINUTES,
      },
      Drifted: {
        ...from(1),
        article: 'API record drifted',
        urgency: 'act today',
        what: `Somebody else changed the DNS record of the API of ${clusterName}; it is put right, unless something speaks against it.`,
        metric: ofMinutes(Metric.apiRecordDrifted, 'Maximum'),
        evaluationPeriods: 1,
      },
      Refused: {
        ...from(1),
        article: 'API record refused',
        urgency: 'act today',
        what: `The DNS record of the API of ${clusterName} is not written: it is somebody else's, or something is in its way.`,
        metric: ofMinutes(Metric.apiRecordRefused, 'Minimum'),
        evaluationPeriods: MINUTES,
      },
      Pending: {
        ...from(MINUTES_OF_A_CHANGE * 60),
        article: 'API record not in sync',
        urgency: 'act today',
        what: `Route 53 has not made a change of the API record of ${clusterName} everywhere for more than ${MINUTES_OF_A_CHANGE} minutes.`,
        metric: ofMinutes(Metric.apiRecordPending, 'Maximum'),
        evaluationPeriods: 1,
      },
      Unprotected: {
        ...from(1),
        article: 'API record unprotected',
        urgency: 'act today',
        what: `Anybody with the right to can change the DNS record of the API of ${clusterName}: the protection of Route 53 is not on.`,
        metric: ofMinutes(Metric.apiRecordUnprotected, 'Minimum'),
        evaluationPeriods: MINUTES_OF_A_CHANGE,
      },
    };
    for (const [name, kind] of Object.entries(kinds)) new LifeboatAlarm(this, name, { alarms, ...kind });
  }
}
