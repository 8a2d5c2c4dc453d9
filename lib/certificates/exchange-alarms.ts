import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { LifeboatAlarm } from '../monitoring/lifeboat-alarm';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import { EVENT_PERIOD } from '../monitoring/rules';

export interface ExchangeAlarmsProps {
  readonly alarms: AlarmDefaults;

  /** The runbook that exchanges an authority. */
  readonly stateMachine: StateMachine;
}

/** An exchange takes weeks, in which nobody watches its execution: how one ends that nobody wanted to end is told, whatever it could tell itself. */
export class ExchangeAlarms extends Construct {
  constructor(scope: Construct, id: string, { alarms, stateMachine }: ExchangeAlarmsProps) {
    super(scope, id);
    const options = { period: EVENT_PERIOD, statistic: 'Sum' };
    const endings = {
      failed: stateMachine.metricFailed(options),
      aborted: stateMachine.metricAborted(options),
      'timed-out': stateMachine.metricTimedOut(options),
    };
    for (const [ending, metric] of Object.entries(endings))
      new LifeboatAlarm(this, ending, {
        alarms,
        article: 'Authority exchange failed',
        ending,
        urgency: 'act today',
        what: `An execution that exchanges an authority of ${alarms.clusterName}, or was to, ended as ${ending}; everything stays as it is until somebody goes on.`,
        metric,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        threshold: 1,
        evaluationPeriods: 1,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
  }
}
