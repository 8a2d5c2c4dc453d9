import { Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { RetentionPolicy } from '../../../lambdas/contract/retention';
import { Retention } from '../../../lib/backup/retention';
import { DeadLetterQueue } from '../../../lib/platform/dead-letter-queue';
import { StateBucket } from '../../../lib/platform/state-bucket';
import { arnOf, inVpc, only, reachesObjects, statementsOf, templateOf, testApp, within } from '../synth';

const template = templateOf(inVpc({ backup: { retention: { daily: 7, yearly: 2 } } }));
const [functionId, prune] = only(template, 'AWS::Lambda::Function', 'RetentionPruneSnapshots');
const [queueId] = only(template, 'AWS::SQS::Queue');
const [bucketId] = only(template, 'AWS::S3::Bucket', 'StateBucket');
const [keyId] = only(template, 'AWS::KMS::Key');

describe('prune-snapshots', () => {
  test('runs outside the network of the cluster, for five minutes at most', () => {
    expect(prune.Properties).toMatchObject({ Timeout: 300, Handler: 'index.handler' });
    expect(prune.Properties).not.toHaveProperty('VpcConfig');
  });

  test('is told the policy of the config, with the defaults of what it leaves out', () => {
    const { Variables } = prune.Properties.Environment as { Variables: Record<string, string> };

    expect(RetentionPolicy.parse(JSON.parse(Variables['LIFEBOAT_RETENTION_POLICY']!))).toEqual({
      ...{ hourly: 24, daily: 7, weekly: 8, monthly: 12, yearly: 2, floor: 3 },
      ...{ preChangeDays: 30, unverifiedDays: 7, lineageDays: 90 },
    });
  });

  test('may do exactly this: no version can be destroyed and no lock lifted', () => {
    const [logId] = only(template, 'AWS::Logs::LogGroup', 'RetentionPruneSnapshots');

    expect(statementsOf(template, 'RetentionPruneSnapshotsRole')).toEqual([
      { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: arnOf(logId) },
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arnOf(queueId) },
      { Effect: 'Allow', Action: 's3:GetObject', Resource: within(bucketId, 'clusters/prod/snapshots/*/manifest.json') },
      ...reachesObjects(bucketId, keyId),
      { Effect: 'Allow', Action: 's3:DeleteObject', Resource: within(bucketId, 'clusters/prod/snapshots/*') },
      {
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:PutObject'],
        Resource: [within(bucketId, 'clusters/prod/locks/prune.json'), within(bucketId, 'clusters/prod/prune.json')],
      },
    ]);
  });
});

test('no role of the stack may destroy a version or lift a lock', () => {
  const policies = JSON.stringify(template.findResources('AWS::IAM::Policy'));

  expect(policies).toContain('s3:DeleteObject"');
  expect(policies).not.toMatch(/s3:(\*|[A-Za-z]*\*|DeleteObjectVersion|BypassGovernanceRetention|PutObjectLegalHold)"/);
});

describe('the schedule', () => {
  const [, schedule] = only(template, 'AWS::Scheduler::Schedule', 'RetentionSchedule');

  test('is hourly, away from the minutes at which backups start', () => {
    expect(schedule.Properties).toMatchObject({ ScheduleExpression: 'cron(41 * * * ? *)', ScheduleExpressionTimezone: 'Etc/UTC' });
  });

  test('may start this function and nothing else', () => {
    expect(schedule.Properties.Target).toMatchObject({ Arn: arnOf(functionId), DeadLetterConfig: { Arn: arnOf(queueId) } });
    expect(statementsOf(template, 'RetentionScheduleRole')).toEqual([
      { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: arnOf(functionId) },
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arnOf(queueId) },
    ]);
  });
});

test('a floor of 0 is refused', () => {
  const stack = new Stack(testApp(), 'Test');
  const state = new StateBucket(stack, 'State', { clusterName: 'a', encryptionKey: new Key(stack, 'Key') });
  const functions = { clusterName: 'a', deadLetterQueue: new DeadLetterQueue(stack, 'DeadLetters') };
  const days = { preChangeDays: 1, unverifiedDays: 1, lineageDays: 1 };
  const policy = { hourly: 1, daily: 1, weekly: 1, monthly: 1, yearly: 0, floor: 0, ...days };

  expect(() => new Retention(stack, 'Retention', { functions, alarms: { clusterName: 'a' }, state, policy })).toThrow(
    'floor is 0, give at least 1 snapshot that survives any policy',
  );
});
