import { awayOutput, only, replicatedTemplates } from '../synth';

const ALARM = 'AWS::CloudWatch::Alarm';
const { home, away } = replicatedTemplates();

test('a replica that is half an hour behind alarms, and so does a measurement that is missing', () => {
  expect(only(home, ALARM, 'ReplicationLags')[1].Properties).toMatchObject({
    Namespace: 'KubeLifeboat',
    MetricName: 'ReplicaBehind',
    Dimensions: [{ Name: 'Cluster', Value: 'prod' }],
    Statistic: 'Maximum',
    // Two runs of watch-replica: one that comes late leaves no gap.
    Period: 1800,
    EvaluationPeriods: 1,
    Threshold: 1800,
    ComparisonOperator: 'GreaterThanThreshold',
    TreatMissingData: 'breaching',
  });
});

test('one snapshot that S3 gave up alarms, where S3 says so: in the region of the source', () => {
  const [bucketId] = only(home, 'AWS::S3::Bucket', 'StateBucket');

  expect(only(home, ALARM, 'ReplicationFails')[1].Properties).toMatchObject({
    Namespace: 'AWS/S3',
    MetricName: 'OperationsFailedReplication',
    Dimensions: [
      { Name: 'DestinationBucket', Value: awayOutput('ReplicaBucketName') },
      { Name: 'RuleId', Value: 'snapshots' },
      { Name: 'SourceBucket', Value: { Ref: bucketId } },
    ],
    Statistic: 'Sum',
    Threshold: 0,
    ComparisonOperator: 'GreaterThanThreshold',
    TreatMissingData: 'notBreaching',
  });
  away.resourceCountIs(ALARM, 0);
});
