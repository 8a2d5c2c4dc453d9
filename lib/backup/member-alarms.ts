import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { Metric } from '../../lambdas/contract/metrics';
import { LifeboatAlarm } from '../monitoring/lifeboat-alarm';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import { lifeboatMetric } from '../monitoring/lifeboat-metric';
import { EVENT_PERIOD, UNTIL_NEXT_RUN, WATCH_PERIOD } from '../monitoring/rules';

export interface MemberAlarmsProps {
  readonly alarms: AlarmDefaults;

  /** Client URLs of the members, `https://host:port`. */
  readonly endpoints: readonly string[];
}

/** Percent of the quota. At 100 etcd accepts no write any more, so a fifth is the time to act in. */
const QUOTA_LIMIT = 80;

/**
 * What can be wrong with the members of etcd.
 *
 * Two of these treat silence as bad news and begin when nobody watches the members any more; the others then keep the state they had.
 */
export class MemberAlarms extends Construct {
  constructor(scope: Construct, id: string, { alarms, endpoints }: MemberAlarmsProps) {
    super(scope, id);
    this.addReachability(alarms);
    this.addDatabase(alarms);
    for (const [index, endpoint] of endpoints.entries()) this.addDivergence(`MemberDiverged${index + 1}`, alarms, endpoint);
  }

  private addReachability(alarms: AlarmDefaults): void {
    const { clusterName } = alarms;
    new LifeboatAlarm(this, 'EtcdWithoutQuorum', {
      alarms,
      article: 'Etcd without quorum',
      urgency: 'act now',
      what: `No majority of the etcd members of ${clusterName} answers and knows a leader, or nobody can ask them any more.`,
      metric: lifeboatMetric(Metric.etcdQuorum, { clusterName }, { statistic: 'Maximum', period: WATCH_PERIOD }),
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: 1,
      // An election takes seconds, and may be met by one look or two.
      evaluationPeriods: 3,
      treatMissingData: TreatMissingData.BREACHING,
    });

    new LifeboatAlarm(this, 'MemberUnreachable', {
      alarms,
      article: 'Member unreachable',
      urgency: 'act today',
      what: `An etcd member of ${clusterName} has not answered for a quarter of an hour.`,
      // The least of each five minutes: one look at which all answered ends it. A node that restarts is back within the quarter of an hour.
      metric: lifeboatMetric(Metric.memberUnreachable, { clusterName }, { statistic: 'Minimum', period: Duration.minutes(5) }),
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      evaluationPeriods: 3,
      treatMissingData: TreatMissingData.IGNORE,
    });
  }

  private addDatabase(alarms: AlarmDefaults): void {
    const { clusterName } = alarms;
    new LifeboatAlarm(this, 'DatabaseNearQuota', {
      alarms,
      article: 'Database near quota',
      urgency: 'act now',
      what: `The etcd database of ${clusterName} takes more than ${QUOTA_LIMIT} % of its quota.`,
      metric: lifeboatMetric(Metric.dbQuotaUsed, { clusterName }, { statistic: 'Maximum', period: Duration.minutes(5) }),
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: QUOTA_LIMIT,
      // The file only shrinks when it is defragmented, so the value does not swing: this is for a single odd answer.
      evaluationPeriods: 3,
      treatMissingData: TreatMissingData.IGNORE,
    });

    new LifeboatAlarm(this, 'LedgerNotAdvancing', {
      alarms,
      article: 'Ledger not advancing',
      urgency: 'act today',
      what: `The revision ledger of ${clusterName} has been behind its members for five minutes, or nobody keeps it any more.`,
      metric: lifeboatMetric(Metric.ledgerCurrent, { clusterName }, { statistic: 'Maximum', period: WATCH_PERIOD }),
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: 1,
      evaluationPeriods: 5,
      treatMissingData: TreatMissingData.BREACHING,
    });
  }

  /** One for each member, so that the alarm itself names it. */
  private addDivergence(id: string, alarms: AlarmDefaults, endpoint: string): void {
    const { clusterName } = alarms;
    new LifeboatAlarm(this, id, {
      // Of the members that answered: one that diverged and went silent stays diverged until it says otherwise.
      ...UNTIL_NEXT_RUN,
      alarms,
      article: 'Member diverged',
      endpoint,
      urgency: 'act now',
      what: `The etcd member ${endpoint} of ${clusterName} holds other data than the majority.`,
      metric: lifeboatMetric(Metric.memberDiverged, { clusterName, endpoint }, { statistic: 'Maximum', period: EVENT_PERIOD }),
    });
  }
}
