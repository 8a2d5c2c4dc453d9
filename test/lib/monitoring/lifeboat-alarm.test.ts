import { Duration, Stack } from 'aws-cdk-lib';
import { ComparisonOperator, MathExpression, Metric as CloudWatchMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Metric } from '../../../lambdas/contract/metrics';
import { LifeboatAlarm } from '../../../lib/monitoring/lifeboat-alarm';
import type { LifeboatAlarmProps } from '../../../lib/monitoring/lifeboat-alarm';
import { lifeboatMetric } from '../../../lib/monitoring/lifeboat-metric';
import { testApp } from '../synth';

const view = { statistic: 'Maximum', period: Duration.minutes(5) };
const metric = (period: Duration) => new CloudWatchMetric({ namespace: 'N', metricName: 'M', period });
const props = (overrides: Partial<LifeboatAlarmProps> = {}): LifeboatAlarmProps => ({
  alarms: { clusterName: 'prod' },
  article: 'Backup failed',
  urgency: 'act today',
  what: 'Something happened.',
  metric: metric(Duration.minutes(5)),
  threshold: 1,
  comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
  evaluationPeriods: 1,
  treatMissingData: TreatMissingData.IGNORE,
  ...overrides,
});
const make = (overrides: Partial<LifeboatAlarmProps>) => new LifeboatAlarm(new Stack(testApp(), 'Test'), 'Alarm', props(overrides));

test.each<[string, Partial<LifeboatAlarmProps>]>([
  ['article is "backup-failed", give a heading of plain words', { article: 'backup-failed' }],
  ['article is "", give a heading of plain words', { article: '' }],
  ['what is "Something happened", give one line that ends in a full stop', { what: 'Something happened' }],
  ['what is "Two\nlines.", give one line that ends in a full stop', { what: 'Two\nlines.' }],
  ['has 280 characters, give at most 255', { endpoint: `https://${'a'.repeat(247)}:2379` }],
  [
    'the alarm looks back 86700 s in periods of 300 s, give at most 86400 s',
    { metric: metric(Duration.minutes(5)), evaluationPeriods: 289 },
  ],
  [
    'the alarm looks back 608400 s in periods of 3600 s, give at most 604800 s',
    { metric: metric(Duration.hours(1)), evaluationPeriods: 169 },
  ],
  ['metric is an expression', { metric: new MathExpression({ expression: 'm', usingMetrics: { m: metric(Duration.minutes(5)) } }) }],
])('%s', (message, wrong) => {
  expect(() => make(wrong)).toThrow(message);
});

test.each([
  [Duration.minutes(5), 288],
  [Duration.hours(1), 168],
])('a window as long as CloudWatch takes is no mistake', (period, evaluationPeriods) => {
  expect(() => make({ metric: metric(period), evaluationPeriods })).not.toThrow();
});

test('the alarms below a construct are found wherever they are', () => {
  const stack = new Stack(testApp(), 'Test');
  const alarm = new LifeboatAlarm(stack, 'Alarm', props());

  expect(LifeboatAlarm.in(stack)).toEqual([alarm]);
  expect(alarm.article).toBe('Backup failed');
});

test('a metric of one member cannot be asked for without it, nor one of the cluster with it', () => {
  const member = { clusterName: 'prod', endpoint: 'https://10.0.1.10:2379' };

  expect(() => lifeboatMetric(Metric.memberDiverged, { clusterName: 'prod' }, view)).toThrow('is said of one member: give its endpoint');
  expect(() => lifeboatMetric(Metric.etcdQuorum, member, view)).toThrow('is said of the whole cluster: give no endpoint');
  expect(lifeboatMetric(Metric.memberDiverged, member, view).dimensions).toEqual({ Cluster: 'prod', Endpoint: member.endpoint });
});
