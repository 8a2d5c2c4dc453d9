import { embeddedMetrics, queueMetric, runMetrics } from '../../local/cloud/metrics';

const embedded = (overrides: object = {}) =>
  JSON.stringify({
    _aws: {
      Timestamp: 1_795_000_000_000,
      CloudWatchMetrics: [
        {
          Namespace: 'KubeLifeboat',
          Dimensions: [['Cluster']],
          Metrics: [{ Name: 'SnapshotUnverified', Unit: 'Count' }, { Name: 'DbSize' }],
        },
      ],
    },
    Cluster: 'prod',
    SnapshotUnverified: [1, 0],
    DbSize: 4096,
    ...overrides,
  });

test('each value of each metric is a point under exactly the dimensions that the line names', () => {
  const at = new Date(1_795_000_000_000);
  const common = { namespace: 'KubeLifeboat', dimensions: { Cluster: 'prod' }, at };

  expect(embeddedMetrics([embedded({ service: 'take-snapshot' })])).toEqual([
    { ...common, metric: 'SnapshotUnverified', value: 1 },
    { ...common, metric: 'SnapshotUnverified', value: 0 },
    { ...common, metric: 'DbSize', value: 4096 },
  ]);
});

test('a line that has several sets of dimensions is said of each', () => {
  const line = JSON.stringify({
    _aws: { Timestamp: 1, CloudWatchMetrics: [{ Namespace: 'N', Dimensions: [['A'], ['A', 'B']], Metrics: [{ Name: 'M' }] }] },
    A: 'a',
    B: 'b',
    M: 1,
  });

  expect(embeddedMetrics([line]).map(({ dimensions }) => dimensions)).toEqual([{ A: 'a' }, { A: 'a', B: 'b' }]);
});

test('lines that are no metrics are left out', () => {
  expect(embeddedMetrics(['START RequestId: 1', '{"message":"member-chosen"}', '', '{not json'])).toEqual([]);
});

test('a line that says it holds metrics and does not is an error, not silence', () => {
  expect(() => embeddedMetrics([embedded({ DbSize: 'large' })])).toThrow();
  expect(() => embeddedMetrics([embedded({ Cluster: undefined })])).toThrow();
});

test('each attempt to run a function is a 0 or a 1 of Lambda’s Errors, dated by its start', () => {
  const text = '{"time": 1795000000.5, "function": "f", "failed": true}\n{"time": 1795000060, "function": "f", "failed": false}\n';

  expect(runMetrics(text)).toEqual([
    { namespace: 'AWS/Lambda', metric: 'Errors', dimensions: { FunctionName: 'f' }, at: new Date(1_795_000_000_500), value: 1 },
    { namespace: 'AWS/Lambda', metric: 'Errors', dimensions: { FunctionName: 'f' }, at: new Date(1_795_000_060_000), value: 0 },
  ]);
});

test('the depth of a queue is a point of SQS', () => {
  expect(queueMetric('q', 2, new Date(0))).toMatchObject({ namespace: 'AWS/SQS', dimensions: { QueueName: 'q' }, value: 2 });
});
