import { arnOf, inVpc, only, reachesObjects, statementsOf, templateOf, within } from '../synth';

const template = templateOf(inVpc({ backup: { maxDbSizeGiB: 4, drill: { schedule: 'rate(2 days)', alarmAfterDays: 5 } } }));
const [functionId, drill] = only(template, 'AWS::Lambda::Function', 'DrillDrillInFunction');
const [queueId] = only(template, 'AWS::SQS::Queue');
const [bucketId] = only(template, 'AWS::S3::Bucket', 'StateBucket');
const [keyId] = only(template, 'AWS::KMS::Key');

describe('drill-in-function', () => {
  test('runs outside the network of the cluster, with the disk that a backup has', () => {
    expect(drill.Properties).toMatchObject({ Timeout: 900, MemorySize: 2048, EphemeralStorage: { Size: 5 * 1024 } });
    expect(drill.Properties).not.toHaveProperty('VpcConfig');
    expect(drill.Properties.Environment).toMatchObject({ Variables: { LIFEBOAT_MAX_DB_SIZE_GIB: '4' } });
  });

  test('may do exactly this: it reads snapshots, and writes and locks manifests', () => {
    const [logId] = only(template, 'AWS::Logs::LogGroup', 'DrillDrillInFunction');
    const manifests = within(bucketId, 'clusters/prod/snapshots/*/manifest.json');

    expect(statementsOf(template, 'DrillDrillInFunctionRole')).toEqual([
      { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: arnOf(logId) },
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arnOf(queueId) },
      { Effect: 'Allow', Action: 's3:GetObject', Resource: [manifests, within(bucketId, 'clusters/prod/snapshots/*/snapshot.db.zst')] },
      ...reachesObjects(bucketId, keyId),
      { Effect: 'Allow', Action: ['s3:PutObject', 's3:PutObjectRetention'], Resource: manifests },
    ]);
  });
});

test('the schedule of the config starts this function and nothing else', () => {
  const [, schedule] = only(template, 'AWS::Scheduler::Schedule', 'DrillSchedule');

  expect(schedule.Properties).toMatchObject({
    ScheduleExpression: 'rate(2 days)',
    Target: { Arn: arnOf(functionId), Input: '{}', DeadLetterConfig: { Arn: arnOf(queueId) } },
  });
});

test('on machines it is the restore runbook that is started, which asks nobody and leaves no machine as a new cluster', () => {
  const onMachines = templateOf(inVpc({ backup: { drill: { on: 'machines' } } }));
  const [machineId] = only(onMachines, 'AWS::StepFunctions::StateMachine', 'RestoreStateMachine');
  const [, schedule] = only(onMachines, 'AWS::Scheduler::Schedule', 'DrillSchedule');

  expect(schedule.Properties).toMatchObject({
    ScheduleExpression: 'cron(30 4 ? * SUN *)',
    Target: { Arn: { Ref: machineId }, Input: '{"drill":true,"approval":"skip"}' },
  });
  expect(statementsOf(onMachines, 'DrillScheduleRole')).toContainEqual({
    Effect: 'Allow',
    Action: 'states:StartExecution',
    Resource: { Ref: machineId },
  });
});

test('the limit of the config is that of the alarm', () => {
  const alarm = only(template, 'AWS::CloudWatch::Alarm', 'DrillAlarmsNoRecentDrill')[1];

  expect(alarm.Properties.Threshold).toBe(5 * 86_400);
});
