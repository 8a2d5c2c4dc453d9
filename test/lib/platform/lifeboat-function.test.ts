import { Duration, Size, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DeadLetterQueue } from '../../../lib/platform/dead-letter-queue';
import { LifeboatFunction } from '../../../lib/platform/lifeboat-function';
import type { LifeboatFunctionProps } from '../../../lib/platform/lifeboat-function';
import { arnOf, only, statementsOf, testApp } from '../synth';

function make(overrides: Partial<LifeboatFunctionProps> = {}): Template {
  const stack = new Stack(testApp(), 'Test', { env: { account: '111122223333', region: 'eu-central-1' } });
  new LifeboatFunction(stack, 'Run', {
    clusterName: 'prod',
    deadLetterQueue: new DeadLetterQueue(stack, 'DeadLetters'),
    entry: 'lambdas/backup/take-snapshot.handler.ts',
    description: 'do one thing',
    ...overrides,
  });
  return Template.fromStack(stack);
}

const FUNCTION = 'AWS::Lambda::Function';
const template = make();
const { Properties } = only(template, FUNCTION)[1];

test('runs on Node 24 on ARM, small and short unless told otherwise', () => {
  expect(Properties).toMatchObject({
    Runtime: 'nodejs24.x',
    Architectures: ['arm64'],
    Handler: 'index.handler',
    MemorySize: 256,
    Timeout: 60,
    EphemeralStorage: { Size: 512 },
    Description: 'kube-lifeboat prod: do one thing',
  });
  expect(Properties).not.toHaveProperty('ReservedConcurrentExecutions');
  expect(Properties).not.toHaveProperty('TracingConfig');
});

test('knows its cluster, and shows where in the sources an error was', () => {
  expect(Properties.Environment).toEqual({
    Variables: {
      NODE_OPTIONS: '--enable-source-maps --disable-warning=DEP0123 --max-semi-space-size=4 --v8-pool-size=1',
      MALLOC_ARENA_MAX: '2',
      LIFEBOAT_CLUSTER: 'prod',
    },
  });
});

test('is as large, long and many as it is told', () => {
  const large = make({
    memory: Size.mebibytes(2048),
    timeout: Duration.minutes(15),
    disk: Size.gibibytes(10),
    reservedConcurrency: 2,
    speaksToEtcd: true,
  });

  expect(only(large, FUNCTION)[1].Properties).toMatchObject({
    Handler: 'lib/index.handler',
    MemorySize: 2048,
    Timeout: 900,
    EphemeralStorage: { Size: 10240 },
    ReservedConcurrentExecutions: 2,
  });
});

test('its role may write its own log and its own dead letters, and nothing more', () => {
  const [logId] = only(template, 'AWS::Logs::LogGroup');
  const [queueId] = only(template, 'AWS::SQS::Queue');

  expect(statementsOf(template, 'RunRole')).toEqual([
    { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: arnOf(logId) },
    { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arnOf(queueId) },
  ]);
});

test('only Lambda can take its role', () => {
  const [roleId, role] = only(template, 'AWS::IAM::Role');

  expect(Properties.Role).toEqual(arnOf(roleId));
  expect(role.Properties.AssumeRolePolicyDocument).toEqual({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
  });
});

test('its log is its own, is kept for a year and outlives the stack', () => {
  const [logId, log] = only(template, 'AWS::Logs::LogGroup');

  expect(Properties.LoggingConfig).toEqual({ LogGroup: { Ref: logId } });
  expect(log.Properties.RetentionInDays).toBe(365);
  expect([log.DeletionPolicy, log.UpdateReplacePolicy]).toEqual(['Retain', 'Retain']);
});

test('its log is kept as long as it is told', () => {
  expect(only(make({ logRetention: RetentionDays.ONE_WEEK }), 'AWS::Logs::LogGroup')[1].Properties.RetentionInDays).toBe(7);
});

test('an event that fails is repeated as often as it is told, and ends in the dead letters', () => {
  const [queueId] = only(template, 'AWS::SQS::Queue');
  const invoke = (made: Template) => only(made, 'AWS::Lambda::EventInvokeConfig')[1].Properties;

  expect(invoke(template)).toMatchObject({
    FunctionName: { Ref: only(template, FUNCTION)[0] },
    Qualifier: '$LATEST',
    MaximumRetryAttempts: 0,
    MaximumEventAgeInSeconds: 1800,
    DestinationConfig: { OnFailure: { Destination: arnOf(queueId) } },
  });
  expect(invoke(make({ retryAttempts: 2, maxEventAge: Duration.minutes(5) }))).toMatchObject({
    MaximumRetryAttempts: 2,
    MaximumEventAgeInSeconds: 300,
  });
});

test.each<[string, Partial<LifeboatFunctionProps>]>([
  ['timeout is 16 minutes, give at most 15 minutes', { timeout: Duration.minutes(16) }],
  ['disk is 11264 MiB, give at most 10240 MiB', { disk: Size.gibibytes(11) }],
])('%s', (message, wrong) => {
  expect(() => make(wrong)).toThrow(message);
});
