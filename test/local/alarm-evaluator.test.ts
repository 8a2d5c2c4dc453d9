import type { AlarmDefinition } from '../../local/cloud/alarm-definition';
import { alarmDefinition } from '../../local/cloud/alarm-definition';
import { breaches, evaluateAlarms, judge } from '../../local/cloud/alarm-evaluator';
import type { AlarmState } from '../../local/cloud/alarm-evaluator';
import type { MetricPoint } from '../../local/cloud/metrics';

const alarm = (overrides: Partial<AlarmDefinition> = {}): AlarmDefinition => ({
  name: 'test',
  description: '',
  namespace: 'KubeLifeboat',
  metric: 'EtcdQuorum',
  dimensions: { Cluster: 'prod' },
  statistic: 'Maximum',
  periodSeconds: 60,
  evaluationPeriods: 3,
  datapointsToAlarm: 3,
  threshold: 1,
  comparison: 'GreaterThanOrEqualToThreshold',
  missingData: 'missing',
  ...overrides,
});

/** `0 - X`, as AWS writes datapoints, the newest last. */
const datapoints = (text: string) => text.split(' ').map((sign) => (sign === '-' ? undefined : sign === 'X' ? 1 : 0));

const RETAIN = 'retain';
const TREATMENTS = ['missing', 'ignore', 'breaching', 'notBreaching'] as const;

// The tables of https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
describe.each<[number, string, [AlarmState, AlarmState | typeof RETAIN, AlarmState, AlarmState]]>([
  [3, '0 - X - X', ['OK', 'OK', 'OK', 'OK']],
  [3, '0 - - - -', ['OK', 'OK', 'OK', 'OK']],
  [3, '- - - - -', ['INSUFFICIENT_DATA', RETAIN, 'ALARM', 'OK']],
  [3, '0 X X - X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
  [3, '- - X - -', ['ALARM', RETAIN, 'ALARM', 'OK']],
  [2, '0 - X - X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
  [2, '0 0 X 0 X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
  [2, '0 - X - -', ['OK', 'OK', 'ALARM', 'OK']],
  [2, '- - - - 0', ['OK', 'OK', 'ALARM', 'OK']],
  [2, '- - - X -', ['ALARM', RETAIN, 'ALARM', 'OK']],
])('as AWS documents it, with %i of 3 datapoints to alarm, %s', (datapointsToAlarm, text, expected) => {
  test.each(TREATMENTS.map((missingData, index) => [missingData, expected[index]!] as const))(
    'missing data treated as %s gives %s',
    (missingData, state) => {
      for (const before of ['OK', 'ALARM', 'INSUFFICIENT_DATA'] as const)
        expect(judge(alarm({ datapointsToAlarm, missingData }), datapoints(text), before).state).toBe(state === RETAIN ? before : state);
    },
  );
});

test.each(['- - - - X', '- - - X -'])('with 3 of 3, %s is not an alarm yet', (text) => {
  for (const before of ['OK', 'INSUFFICIENT_DATA'] as const) expect(judge(alarm(), datapoints(text), before).state).toBe(before);
});

test.each<[AlarmDefinition['comparison'], boolean, boolean, boolean]>([
  ['GreaterThanOrEqualToThreshold', false, true, true],
  ['GreaterThanThreshold', false, false, true],
  ['LessThanThreshold', true, false, false],
  ['LessThanOrEqualToThreshold', true, true, false],
])('%s is breached by less: %s, by as much: %s, by more: %s', (comparison, less, equal, more) => {
  expect([0, 1, 2].map((value) => breaches(alarm({ comparison }), value))).toEqual([less, equal, more]);
});

const at = (time: string) => new Date(`2026-11-23T${time}Z`);
const point = (time: string, value: number, overrides: Partial<MetricPoint> = {}): MetricPoint => ({
  namespace: 'KubeLifeboat',
  metric: 'EtcdQuorum',
  dimensions: { Cluster: 'prod' },
  at: at(time),
  value,
  ...overrides,
});
const stateOf = (one: AlarmDefinition, points: readonly MetricPoint[], now: string, since?: string) =>
  evaluateAlarms([one], points, { now: at(now), since: since === undefined ? undefined : at(since) })[0]!;
const single = (overrides: Partial<AlarmDefinition> = {}) =>
  alarm({ evaluationPeriods: 1, datapointsToAlarm: 1, missingData: 'notBreaching', ...overrides });

test.each<[AlarmDefinition['statistic'], number[], AlarmState]>([
  ['Sum', [0.5, 0.5], 'ALARM'],
  ['Sum', [0.5, 0.4], 'OK'],
  ['Average', [1, 1], 'ALARM'],
  ['Average', [1, 0.9], 'OK'],
  ['Minimum', [1, 2], 'ALARM'],
  ['Minimum', [0, 2], 'OK'],
  ['Maximum', [0, 1], 'ALARM'],
  ['Maximum', [0, 0.9], 'OK'],
  ['SampleCount', [0], 'ALARM'],
])('the %s of %j in a period, compared with 1, is %s', (statistic, values, state) => {
  const points = values.map((value, index) => point(`10:00:1${index}`, value));

  expect(stateOf(single({ statistic }), points, '10:00:30').state).toBe(state);
});

test.each<[string, Partial<MetricPoint>]>([
  ['another cluster', { dimensions: { Cluster: 'prod-eu' } }],
  ['one member of the cluster', { dimensions: { Cluster: 'prod', Endpoint: 'https://a:1' } }],
  ['no cluster', { dimensions: {} }],
  ['another metric', { metric: 'MembersHealthy' }],
  ['another namespace', { namespace: 'Custom' }],
])('what is said of %s does not touch the alarm', (_other, overrides) => {
  expect(stateOf(single(), [point('10:00:10', 1, overrides)], '10:00:30').state).toBe('OK');
  expect(stateOf(single(), [point('10:00:10', 1)], '10:00:30').state).toBe('ALARM');
});

test('periods slide by the minute: a failure and the success a minute later are one period, then the success alone is', () => {
  const least = single({ statistic: 'Minimum', periodSeconds: 300, missingData: 'ignore' });
  const failed = point('10:00:30', 1);

  expect(stateOf(least, [failed], '10:00:59').state).toBe('ALARM');
  expect(stateOf(least, [failed], '10:59:00').state).toBe('ALARM');
  expect(stateOf(least, [failed, point('10:01:30', 0)], '10:01:59').state).toBe('OK');
  expect(stateOf(least, [failed, point('10:01:30', 0)], '10:59:00').state).toBe('OK');
});

test.each([
  ['Minimum', 0, 1, 'ALARM'],
  ['Minimum', 1, 0, 'OK'],
  ['Maximum', 1, 0, 'OK'],
  ['Maximum', 0, 1, 'ALARM'],
] as const)(
  'of two minutes within one period the later has the last word: %s of %i, then %i, ends as %s',
  (statistic, first, second, state) => {
    const remembering = single({ statistic, periodSeconds: 300, missingData: 'ignore' });

    expect(stateOf(remembering, [point('10:00:30', first), point('10:01:30', second)], '10:59:00').state).toBe(state);
  },
);

test('what an alarm remembers ends with the next thing that is said, and it tells since when', () => {
  const remembering = single({ missingData: 'ignore' });
  const points = [point('12:00:10', 0), point('09:00:10', 1)];

  expect(stateOf(remembering, points, '11:59:00')).toMatchObject({ state: 'ALARM', since: at('09:01:00') });
  expect(stateOf(remembering, points, '12:30:00')).toMatchObject({ state: 'OK', since: at('12:01:00') });
});

test('a dead man’s switch is on when nothing was ever said, and when nothing is said any more, but bears a gap', () => {
  const deadMan = alarm({ missingData: 'breaching', comparison: 'LessThanThreshold' });
  const minutes = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => point(`10:${String(from + index).padStart(2, '0')}:20`, 1));

  expect(stateOf(deadMan, [], '10:00:00').state).toBe('ALARM');
  expect(stateOf(deadMan, minutes(0, 9), '10:10:30').state).toBe('OK');
  expect(stateOf(deadMan, minutes(0, 9), '10:13:30').state).toBe('OK');
  expect(stateOf(deadMan, minutes(0, 9), '10:14:30')).toMatchObject({
    state: 'ALARM',
    since: at('10:15:00'),
    reason: '0 of 0 datapoints breach 1, 3 missing (breaching); newest none',
  });
  expect(stateOf(deadMan, [...minutes(0, 4), ...minutes(8, 9)], '10:09:30').state).toBe('OK');
});

test('the start of evaluation can be said: before it nothing is remembered', () => {
  const remembering = single({ missingData: 'ignore' });

  expect(stateOf(remembering, [point('09:00:10', 1)], '10:00:00', '09:30:00').state).toBe('INSUFFICIENT_DATA');
});

test('two hundred hours of every minute are looked at in seconds', () => {
  const start = at('00:00:20').getTime();
  const points = Array.from({ length: 12_000 }, (_, minute) => ({ ...point('00:00:00', 1), at: new Date(start + minute * 60_000) }));
  const now = new Date(start + 12_000 * 60_000);

  expect(evaluateAlarms([alarm({ periodSeconds: 3600 })], points, { now })).toMatchObject([{ state: 'ALARM' }]);
}, 10_000);

test('a definition is read as a template has it, with the defaults of CloudWatch', () => {
  const properties = {
    AlarmName: 'a',
    Namespace: 'AWS/SQS',
    MetricName: 'ApproximateNumberOfMessagesVisible',
    Dimensions: [{ Name: 'QueueName', Value: 'q' }],
    Statistic: 'Maximum',
    Period: 300,
    EvaluationPeriods: 2,
    Threshold: 1,
    ComparisonOperator: 'GreaterThanThreshold',
  };

  expect(alarmDefinition(properties)).toMatchObject({ dimensions: { QueueName: 'q' }, datapointsToAlarm: 2, missingData: 'missing' });
  expect(() => alarmDefinition({ AlarmName: 'a', Metrics: [] })).toThrow();
});
