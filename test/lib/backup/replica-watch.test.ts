import { arnOf, awayOutput, inVpc, only, replicatedTemplates, statementsOf, templateOf } from '../synth';

const { home } = replicatedTemplates();
const [functionId, watch] = only(home, 'AWS::Lambda::Function', 'ReplicaWatch');
const [queueId] = only(home, 'AWS::SQS::Queue');
const [bucketId] = only(home, 'AWS::S3::Bucket', 'StateBucket');

describe('watch-replica', () => {
  test('runs outside the network of the cluster, whose endpoint leads to S3 of its own region alone', () => {
    expect(watch.Properties).toMatchObject({ Timeout: 120, Handler: 'index.handler' });
    expect(watch.Properties).not.toHaveProperty('VpcConfig');
  });

  test('is told both buckets, and where the other one is', () => {
    expect(watch.Properties.Environment).toMatchObject({
      Variables: {
        LIFEBOAT_CLUSTER: 'prod',
        LIFEBOAT_STATE_BUCKET: { Ref: bucketId },
        LIFEBOAT_REPLICA_BUCKET: awayOutput('ReplicaBucketName'),
        LIFEBOAT_REPLICA_REGION: 'eu-west-1',
      },
    });
  });

  test('may do exactly this: it lists the snapshots of both buckets, and reads and decrypts nothing', () => {
    const [logId] = only(home, 'AWS::Logs::LogGroup', 'ReplicaWatch');

    expect(statementsOf(home, 'ReplicaWatchWatchReplicaRole')).toEqual([
      { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: arnOf(logId) },
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arnOf(queueId) },
      {
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: [arnOf(bucketId), { 'Fn::Join': ['', ['arn:aws:s3:::', awayOutput('ReplicaBucketName')]] }],
        Condition: { StringEquals: { 's3:prefix': 'clusters/prod/snapshots/' } },
      },
    ]);
  });
});

describe('the schedule', () => {
  const [, schedule] = only(home, 'AWS::Scheduler::Schedule', 'ReplicaWatch');

  test('looks every quarter of an hour', () => {
    expect(schedule.Properties).toMatchObject({ ScheduleExpression: 'rate(15 minutes)', ScheduleExpressionTimezone: 'Etc/UTC' });
  });

  test('may start this function and nothing else', () => {
    expect(schedule.Properties.Target).toMatchObject({ Arn: arnOf(functionId), DeadLetterConfig: { Arn: arnOf(queueId) } });
    expect(statementsOf(home, 'ReplicaWatchScheduleRole')).toEqual([
      { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: arnOf(functionId) },
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arnOf(queueId) },
    ]);
  });
});

test('without a replica there is nothing to watch', () => {
  expect(() => only(templateOf(inVpc()), 'AWS::Lambda::Function', 'ReplicaWatch')).toThrow('0 resources');
});
