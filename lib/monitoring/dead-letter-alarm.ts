import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { LifeboatAlarm } from './lifeboat-alarm';
import type { AlarmDefaults } from './lifeboat-alarm';
import { EVENT_PERIOD } from './rules';

export interface DeadLetterAlarmProps {
  readonly alarms: AlarmDefaults;

  /** Where runs end that no retry could save. */
  readonly queue: IQueue;
}

/** On while the dead-letter queue holds anything; it ends when somebody has looked and emptied the queue. */
export class DeadLetterAlarm extends LifeboatAlarm {
  constructor(scope: Construct, id: string, { alarms, queue }: DeadLetterAlarmProps) {
    super(scope, id, {
      alarms,
      article: 'Dead letters',
      urgency: 'act today',
      what: `A run for ${alarms.clusterName} failed for good, with all its retries, or could not even be started.`,
      metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: EVENT_PERIOD }),
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      evaluationPeriods: 1,
      // SQS stops measuring a queue that is empty and that nobody has touched for six hours.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}
