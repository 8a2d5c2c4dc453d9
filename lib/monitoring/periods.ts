import { Duration } from 'aws-cdk-lib';

/**
 * The period of what is said once a run, such as "unverified". CloudWatch looks back over a few periods when it evaluates an alarm, so
 * with one minute a point whose log line came in late would never be looked at. Windows slide by the minute, so five delay nothing.
 */
export const EVENT_PERIOD = Duration.minutes(5);

/** The period of what `watch-members` says every minute. */
export const WATCH_PERIOD = Duration.minutes(1);
