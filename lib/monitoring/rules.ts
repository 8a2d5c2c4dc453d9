import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';

/**
 * The period of what is said once a run, such as "unverified". CloudWatch looks back over a few periods when it evaluates an alarm, so
 * with one minute a point whose log line came in late would never be looked at. Windows slide by the minute, so five delay nothing.
 */
export const EVENT_PERIOD = Duration.minutes(5);

/** The period of what `watch-members` says every minute. */
export const WATCH_PERIOD = Duration.minutes(1);

/** On from a run that says 1 or more to one that says 0: between two runs there is no data, and what the last one said holds. */
export const UNTIL_NEXT_RUN = {
  comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  threshold: 1,
  evaluationPeriods: 1,
  treatMissingData: TreatMissingData.IGNORE,
} as const;
