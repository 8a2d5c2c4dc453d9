import { Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { WatchMembers } from '../../../lib/backup/watch-members';
import { DeadLetterQueue } from '../../../lib/platform/dead-letter-queue';
import { EtcdClientSecret } from '../../../lib/platform/etcd-client-secret';
import { StateBucket } from '../../../lib/platform/state-bucket';
import { arnOf, inVpc, only, reachesObjects, readsSecret, statementsOf, templateOf, testApp, within } from '../synth';

const template = templateOf(inVpc());
const [functionId, watch] = only(template, 'AWS::Lambda::Function', 'WatchWatchMembers');
const [queueId] = only(template, 'AWS::SQS::Queue');
const [bucketId] = only(template, 'AWS::S3::Bucket', 'StateBucket');
const [secretId] = only(template, 'AWS::SecretsManager::Secret');
const [keyId] = only(template, 'AWS::KMS::Key');

describe('watch-members', () => {
  test('is small, runs in the network of the cluster, and ends before the next one starts', () => {
    expect(watch.Properties).toMatchObject({ MemorySize: 256, Timeout: 50, Handler: 'lib/index.handler' });
    expect(watch.Properties).toHaveProperty('VpcConfig');
  });

  test('is told everything that it works with', () => {
    expect(watch.Properties.Environment).toMatchObject({
      Variables: {
        LIFEBOAT_CLUSTER: 'prod',
        LIFEBOAT_ETCD_ENDPOINTS: 'https://10.0.1.10:2379',
        LIFEBOAT_STATE_BUCKET: { Ref: bucketId },
        LIFEBOAT_ETCD_CLIENT_SECRET: { Ref: secretId },
      },
    });
  });

  test('is never repeated: the next minute is the next try, and an event that waited for one is dropped', () => {
    expect(only(template, 'AWS::Lambda::EventInvokeConfig', 'WatchWatchMembers')[1].Properties).toMatchObject({
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
      DestinationConfig: { OnFailure: { Destination: arnOf(queueId) } },
    });
  });

  test('may do exactly this: write the ledger and nothing else, and read no snapshot', () => {
    const [logId] = only(template, 'AWS::Logs::LogGroup', 'WatchWatchMembers');

    expect(statementsOf(template, 'WatchWatchMembersRole').filter(({ Action }) => !String(Action).startsWith('ec2:'))).toEqual([
      { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: arnOf(logId) },
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arnOf(queueId) },
      { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: within(bucketId, 'clusters/prod/ledger.json') },
      ...reachesObjects(bucketId, keyId),
      { Effect: 'Allow', Action: 's3:GetObject', Resource: within(bucketId, 'clusters/prod/snapshots/*/manifest.json') },
      ...readsSecret(secretId, keyId),
    ]);
  });
});

describe('the schedule', () => {
  const [, schedule] = only(template, 'AWS::Scheduler::Schedule', 'WatchSchedule');

  test('is every minute, and does not try a start again that failed', () => {
    expect(schedule.Properties).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      Target: { Arn: arnOf(functionId), RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 } },
    });
  });

  test('may start this function and nothing else', () => {
    expect(statementsOf(template, 'WatchScheduleRole')).toEqual([
      { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: arnOf(functionId) },
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arnOf(queueId) },
    ]);
  });
});

test('an empty list of endpoints is refused', () => {
  const stack = new Stack(testApp(), 'Test');
  const encryptionKey = new Key(stack, 'Key');
  const props = {
    functions: { clusterName: 'a', deadLetterQueue: new DeadLetterQueue(stack, 'DeadLetters') },
    state: new StateBucket(stack, 'State', { clusterName: 'a', encryptionKey }),
    etcdClient: new EtcdClientSecret(stack, 'EtcdClient', { clusterName: 'a', encryptionKey }),
  };

  expect(() => new WatchMembers(stack, 'Watch', { ...props, endpoints: [] })).toThrow('endpoints is empty, give at least 1 etcd member');
});
