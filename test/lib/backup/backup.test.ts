import { Duration, Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Backup } from '../../../lib/backup/backup';
import { DeadLetterQueue } from '../../../lib/platform/dead-letter-queue';
import { EtcdClientSecret } from '../../../lib/platform/etcd-client-secret';
import { StateBucket } from '../../../lib/platform/state-bucket';
import { arnOf, inVpc, only, reachesObjects, readsSecret, statementsOf, templateOf, testApp, within } from '../synth';

const template = templateOf(
  inVpc({ backup: { schedule: 'cron(0/30 * * * ? *)', maxDbSizeGiB: 4, lock: { mode: 'compliance', days: 30 } } }),
);
const [functionId, takeSnapshot] = only(template, 'AWS::Lambda::Function', 'BackupTakeSnapshot');
const [queueId] = only(template, 'AWS::SQS::Queue');
const [bucketId] = only(template, 'AWS::S3::Bucket', 'StateBucket');
const [secretId] = only(template, 'AWS::SecretsManager::Secret');
const [keyId] = only(template, 'AWS::KMS::Key');

describe('take-snapshot', () => {
  test('has more than one processor, all the time there is, and two runs at most', () => {
    expect(takeSnapshot.Properties).toMatchObject({ MemorySize: 2048, Timeout: 900, ReservedConcurrentExecutions: 2 });
    expect(takeSnapshot.Properties.Handler).toBe('lib/index.handler');
  });

  test.each([
    [1, 2],
    [4, 5],
    [8, 9],
  ])('has, for a database of %i GiB, a disk of %i GiB', (maxDbSizeGiB, disk) => {
    const sized = only(templateOf(inVpc({ backup: { maxDbSizeGiB } })), 'AWS::Lambda::Function', 'BackupTakeSnapshot')[1].Properties;

    expect(sized.EphemeralStorage).toEqual({ Size: disk * 1024 });
    expect(sized.Environment).toMatchObject({ Variables: { LIFEBOAT_MAX_DB_SIZE_GIB: String(maxDbSizeGiB) } });
  });

  test('is told everything that it works with', () => {
    expect(takeSnapshot.Properties.Environment).toMatchObject({
      Variables: {
        LIFEBOAT_CLUSTER: 'prod',
        LIFEBOAT_ETCD_ENDPOINTS: 'https://10.0.1.10:2379',
        LIFEBOAT_MAX_DB_SIZE_GIB: '4',
        LIFEBOAT_LOCK_POLICY: '{"mode":"compliance","days":30}',
        LIFEBOAT_STATE_BUCKET: { Ref: bucketId },
        LIFEBOAT_ETCD_CLIENT_SECRET: { Ref: secretId },
      },
    });
  });

  test('is repeated once when it fails, then reported', () => {
    expect(only(template, 'AWS::Lambda::EventInvokeConfig', 'BackupTakeSnapshot')[1].Properties).toMatchObject({
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: arnOf(queueId) } },
    });
  });

  test('may do exactly this', () => {
    const [logId] = only(template, 'AWS::Logs::LogGroup', 'BackupTakeSnapshot');
    const interfaces = [
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:UnassignPrivateIpAddresses',
    ];

    expect(statementsOf(template, 'BackupTakeSnapshotRole')).toEqual([
      { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: arnOf(logId) },
      { Effect: 'Allow', Action: interfaces, Resource: '*' },
      { Effect: 'Deny', Action: interfaces, Resource: '*', Condition: { Null: { 'lambda:SourceFunctionArn': 'false' } } },
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arnOf(queueId) },
      {
        Effect: 'Allow',
        Action: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject', 's3:PutObjectRetention'],
        Resource: within(bucketId, 'clusters/prod/snapshots/*'),
      },
      ...reachesObjects(bucketId, keyId),
      { Effect: 'Allow', Action: 's3:ListBucketMultipartUploads', Resource: arnOf(bucketId) },
      {
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:PutObject'],
        Resource: [within(bucketId, 'clusters/prod/ledger.json'), within(bucketId, 'clusters/prod/locks/backup.json')],
      },
      // Which generations the PKI has; no secret that holds their keys.
      { Effect: 'Allow', Action: 's3:GetObject', Resource: within(bucketId, 'clusters/prod/pki/generations.json') },
      ...readsSecret(secretId, keyId),
    ]);
  });
});

describe('the schedule', () => {
  const [, schedule] = only(template, 'AWS::Scheduler::Schedule', 'BackupSchedule');
  const [groupId, group] = only(template, 'AWS::Scheduler::ScheduleGroup', 'BackupSchedule');
  const [roleId, role] = only(template, 'AWS::IAM::Role', 'BackupScheduleRole');

  test('is the one of the config, in UTC, on the minute', () => {
    expect(schedule.Properties).toMatchObject({
      ScheduleExpression: 'cron(0/30 * * * ? *)',
      ScheduleExpressionTimezone: 'Etc/UTC',
      FlexibleTimeWindow: { Mode: 'OFF' },
      State: 'ENABLED',
    });
  });

  test('starts take-snapshot with its slot, tries again for a quarter of an hour, then reports', () => {
    expect(schedule.Properties.Target).toEqual({
      Arn: arnOf(functionId),
      RoleArn: arnOf(roleId),
      Input: '{"trigger":"scheduled","scheduledAt":"<aws.scheduler.scheduled-time>"}',
      RetryPolicy: { MaximumRetryAttempts: 5, MaximumEventAgeInSeconds: 900 },
      DeadLetterConfig: { Arn: arnOf(queueId) },
    });
  });

  test('may do exactly this', () => {
    expect(statementsOf(template, 'BackupScheduleRole')).toEqual([
      { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: arnOf(functionId) },
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arnOf(queueId) },
    ]);
  });

  test('is the only one whose group can take its role', () => {
    expect(role.Properties.AssumeRolePolicyDocument).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Principal: { Service: 'scheduler.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': '111122223333', 'aws:SourceArn': arnOf(groupId) } },
        },
      ],
    });
    expect(schedule.Properties.GroupName).toBe(group.Properties.Name);
    expect(group.DeletionPolicy).toBe('Delete');
  });
});

test.each([
  ['maxDbSizeGiB is 0, give a whole number from 1 to 9', { maxDbSizeGiB: 0 }],
  ['maxDbSizeGiB is 10, give a whole number from 1 to 9', { maxDbSizeGiB: 10 }],
  ['maxDbSizeGiB is 1.5, give a whole number from 1 to 9', { maxDbSizeGiB: 1.5 }],
  ['endpoints is empty, give at least 1 etcd member', { endpoints: [] }],
])('%s', (message, wrong) => {
  const stack = new Stack(testApp(), 'Test');
  const encryptionKey = new Key(stack, 'Key');
  const props = {
    functions: { clusterName: 'a', deadLetterQueue: new DeadLetterQueue(stack, 'DeadLetters') },
    alarms: { clusterName: 'a' },
    alarmAfter: Duration.hours(3),
    state: new StateBucket(stack, 'State', { clusterName: 'a', encryptionKey }),
    etcdClient: new EtcdClientSecret(stack, 'EtcdClient', { clusterName: 'a', encryptionKey }),
    endpoints: ['https://a:1'],
    schedule: 'rate(1 hour)',
    maxDbSizeGiB: 1,
    lock: { mode: 'governance', days: 7 } as const,
    ...wrong,
  };

  expect(() => new Backup(stack, 'Backup', props)).toThrow(message);
});
