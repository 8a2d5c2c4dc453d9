import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CreateStateMachineCommand, DescribeExecutionCommand, SFNClient, SendTaskHeartbeatCommand } from '@aws-sdk/client-sfn';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { waitUntil } from '../../../local/child-process';
import type { Execution, ExecutionEnd, LocalCloud } from '../../../local/cloud';
import { startLocalCloud } from '../../../local/cloud';
import { awsEnvironment } from '../../../local/cloud/clients';
import type { SmokeCloud } from './smoke-cloud';
import { startSmokeCloud } from './smoke-cloud';

// Step Functions as on AWS: each test fails without what local/cloud/state_machines.py and its neighbours put in the emulator's place.
jest.setTimeout(120_000);

type States = Readonly<Record<string, object>>;

const ARN_OF_INVOKE = 'arn:aws:states:::lambda:invoke';
const ARN_OF_PUBLISH = 'arn:aws:states:::sns:publish';

let smoke: SmokeCloud;
let sfn: SFNClient;
let topicArn: string;
let named = 0;
beforeAll(async () => {
  smoke = await startSmokeCloud();
  sfn = new SFNClient(smoke.cloud.clientConfig());
  const sns = new SNSClient(smoke.cloud.clientConfig());
  topicArn = (await sns.send(new CreateTopicCommand({ Name: 'approvals' }))).TopicArn ?? '';
  sns.destroy();
  // Tests call it side by side, and a call that was given up goes on.
  await smoke.aws('lambda', 'delete-function-concurrency', '--function-name', smoke.probe);
  const mayPublish = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sns:Publish', Resource: topicArn }] };
  const role = smoke.callerArn.replace(/^.*\//, '');
  await smoke.aws(
    'iam',
    'put-role-policy',
    ...['--role-name', role, '--policy-name', 'publish', '--policy-document', JSON.stringify(mayPublish)],
  );
});
afterAll(async () => {
  sfn.destroy();
  await smoke.cloud.stop();
});

/** A role for state machines that may do nothing. */
async function newRole(cloud: LocalCloud): Promise<string> {
  const Statement = [{ Effect: 'Allow', Principal: { Service: 'states.amazonaws.com' }, Action: 'sts:AssumeRole' }];
  const trust = JSON.stringify({ Version: '2012-10-17', Statement });
  const args = ['iam', 'create-role', '--role-name', 'powerless', '--assume-role-policy-document', trust];
  await promisify(execFile)('aws', args, { env: awsEnvironment(cloud.endpoint, cloud.folder) });
  return `arn:aws:iam::${cloud.accountId}:role/powerless`;
}

/** Starts a new state machine that begins with its first state. */
async function start(States: States, input: unknown = {}, machine: object = {}, roleArn = smoke.callerArn): Promise<Execution> {
  const definition = JSON.stringify({ StartAt: Object.keys(States)[0], States, ...machine });
  const created = await sfn.send(new CreateStateMachineCommand({ name: `machine-${++named}`, definition, roleArn }));
  return smoke.cloud.stateMachine(created.stateMachineArn ?? '').start(input);
}

const end = async (...args: Parameters<typeof start>): Promise<ExecutionEnd> => (await start(...args)).wait({ timeoutMs: 20_000 });

const pass = (fields: object): States => ({ Pass: { Type: 'Pass', End: true, ...fields } });
const invokeProbe = (Payload: object = {}): object => ({
  Type: 'Task',
  Resource: ARN_OF_INVOKE,
  Parameters: { FunctionName: smoke.probeArn, Payload },
});
const caught = (...errors: string[]): object => ({
  Catch: [{ ErrorEquals: errors, Next: 'Caught', ResultPath: '$.error' }],
});
const CAUGHT: States = { Caught: { Type: 'Pass', Result: 'caught', ResultPath: '$.by', End: true } };
const waitForToken = (fields: object = {}): object => ({
  Type: 'Task',
  Resource: `${ARN_OF_PUBLISH}.waitForTaskToken`,
  Parameters: { TopicArn: topicArn, Subject: 'approve', Message: { 'token.$': '$$.Task.Token', 'of.$': '$$.Execution.Id' } },
  End: true,
  ...fields,
});

/** The tokens that an execution has published so far. */
const tokensOf = ({ arn }: Execution): string[] =>
  smoke.cloud
    .topic(topicArn)
    .messages()
    .map(({ message }) => JSON.parse(message) as { token: string; of: string })
    .filter((message) => message.of === arn)
    .map(({ token }) => token);

async function tokenOf(execution: Execution, attempt = 1): Promise<string> {
  await waitUntil('a token is published', 10_000, () => Promise.resolve(tokensOf(execution).length >= attempt));
  return tokensOf(execution)[attempt - 1] ?? '';
}

describe('a path that finds nothing ends the execution', () => {
  const choice = (rule: object): States => ({
    Choice: { Type: 'Choice', Choices: [{ ...rule, Next: 'Yes' }], Default: 'No' },
    Yes: { Type: 'Pass', Result: 'yes', End: true },
    No: { Type: 'Pass', Result: 'no', End: true },
  });
  const map = (fields: object): States => ({
    Map: { Type: 'Map', End: true, ItemProcessor: { StartAt: 'Pass', States: pass({}) }, ...fields },
  });

  test.each<[string, States]>([
    ['Parameters', pass({ Parameters: { 'x.$': '$.missing' } })],
    ['Parameters, deep inside', pass({ Parameters: { list: [[{ 'x.$': '$.missing.deeper' }]] } })],
    ['Parameters, from the context object', pass({ Parameters: { 'x.$': '$$.Task.Token' } })],
    ['Parameters, behind the end of a list', pass({ Parameters: { 'x.$': '$.list[2]' } })],
    ['an intrinsic function', pass({ Parameters: { 'x.$': "States.Format('{}', $.missing)" } })],
    ['InputPath', pass({ InputPath: '$.missing' })],
    ['OutputPath', pass({ OutputPath: '$.missing' })],
    ['ItemsPath', map({ ItemsPath: '$.missing' })],
    ['ItemsPath, which gives no list', map({ ItemsPath: '$.there' })],
    ['ItemSelector', map({ ItemsPath: '$.list', ItemSelector: { 'x.$': '$.missing' } })],
    ['SecondsPath', { Wait: { Type: 'Wait', SecondsPath: '$.missing', End: true } }],
    ['SecondsPath, which gives no number', { Wait: { Type: 'Wait', SecondsPath: '$.there', End: true } }],
    ['TimestampPath, which gives no time', { Wait: { Type: 'Wait', TimestampPath: '$.there', End: true } }],
    ['the Variable of a Choice', choice({ Variable: '$.missing', StringEquals: 'x' })],
    ['the Variable of a Choice inside of Not', choice({ Not: { Variable: '$.missing', StringEquals: 'x' } })],
    ['the Variable of IsNull', choice({ Variable: '$.missing', IsNull: true })],
    ['the other side of a comparison', choice({ Variable: '$.there', StringEqualsPath: '$.missing' })],
    ['the other side of a comparison, of another type', choice({ Variable: '$.number', NumericGreaterThanPath: '$.there' })],
  ])('%s', async (_where, states) => {
    await expect(end(states, { there: 'x', list: ['a', 'b'], number: 1 })).resolves.toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
    });
  });

  test('and no Catch and no Retry keeps it, for the result of a task neither', async () => {
    const all = { Retry: [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 600 }], ...caught('States.ALL') };
    const task = (fields: object): States => ({ Task: { ...invokeProbe(), End: true, ...all, ...fields }, ...CAUGHT });

    const ends = await Promise.all([
      end(task({ ResultSelector: { 'x.$': '$.Payload.missing' } })),
      end(task({ Parameters: { FunctionName: smoke.probeArn, 'Payload.$': '$.missing' } })),
      end(task({ ...caught('States.TaskFailed'), ResultSelector: { 'x.$': '$.Payload.missing' } })),
    ]);

    expect(ends.map(({ error }) => error)).toEqual(['States.Runtime', 'States.Runtime', 'States.Runtime']);
    expect(ends[1].cause).toBe("The JSONPath '$.missing' specified for the field 'Payload.$' could not be found in the input '{}'");
  });

  test.each<[object, string]>([
    [{ Variable: '$.null', IsPresent: true }, 'yes'],
    [{ Variable: '$.missing', IsPresent: true }, 'no'],
    [{ Variable: '$.missing.deeper', IsPresent: false }, 'yes'],
    [
      {
        And: [
          { Variable: '$.missing', IsPresent: true },
          { Variable: '$.missing', StringEquals: 'x' },
        ],
      },
      'no',
    ],
    [{ Variable: '$.null', IsNull: true }, 'yes'],
    [{ Variable: '$.true', IsNumeric: true }, 'no'],
    [{ Variable: '$.one', BooleanEquals: true }, 'no'],
    [{ Variable: '$.text', StringLessThanPath: '$.later' }, 'yes'],
    [{ Variable: '$.one', NumericEqualsPath: '$.one' }, 'yes'],
  ])('%j is %s, and no failure', async (rule, answer) => {
    const input = { null: null, true: true, one: 1, text: 'a', later: 'b' };

    await expect(end(choice(rule), input)).resolves.toEqual({ status: 'SUCCEEDED', output: answer });
  });
});

describe('ResultPath', () => {
  test.each([
    ['$.new.deeper', { there: 'x', new: { deeper: 'result' } }],
    ['$', 'result'],
    [null, { there: 'x' }],
  ])('%s puts the result where it says', async (ResultPath, output) => {
    await expect(end(pass({ Result: 'result', ResultPath }), { there: 'x' })).resolves.toEqual({ status: 'SUCCEEDED', output });
  });

  test('goes through objects only', async () => {
    const states = { Task: { ...invokeProbe(), ResultPath: '$.there.deeper', ...caught('States.ALL'), End: true }, ...CAUGHT };

    await expect(end(pass({ ResultPath: '$.there.deeper' }), { there: 'x' })).resolves.toMatchObject({
      error: 'States.ResultPathMatchFailure',
    });
    await expect(end(states, { there: 'x' })).resolves.toMatchObject({
      output: { there: 'x', by: 'caught', error: { Error: 'States.ResultPathMatchFailure' } },
    });
  });
});

test('replaces fields in lists of lists, and by intrinsic functions', async () => {
  const Parameters = {
    deep: [[{ 'path.$': '$.a' }, ['as it is']], [{ inside: [{ 'context.$': '$$.State.Name' }] }]],
    'array.$': "States.Array($.a, States.Format('{} and {}', $.a, $.b.c), 1, null)",
    'parsed.$': 'States.StringToJson($.json)',
    'text.$': 'States.JsonToString($.b)',
    'all.$': '$.list[*].x',
    'none.$': '$.empty[*].x',
  };
  const input = { a: 'A', b: { c: 'C' }, json: '{"n":[1,{"m":null}]}', list: [{ x: 1 }, { x: 2 }], empty: [] };

  await expect(end(pass({ Parameters }), input)).resolves.toEqual({
    status: 'SUCCEEDED',
    output: {
      deep: [[{ path: 'A' }, ['as it is']], [{ inside: [{ context: 'Pass' }] }]],
      array: ['A', 'A and C', 1, null],
      parsed: { n: [1, { m: null }] },
      text: '{"c":"C"}',
      all: [1, 2],
      none: [],
    },
  });
  await expect(end(pass({ Parameters: { 'x.$': 'States.StringToJson($.a)' } }), input)).resolves.toMatchObject({
    error: 'States.IntrinsicFailure',
  });
  await expect(end(pass({ Parameters: {} }), input)).resolves.toMatchObject({ output: {} });
});

describe('256 KiB', () => {
  const TOO_MUCH = 'x'.repeat(90_000);
  const three = { Parameters: { 'all.$': 'States.Array($.x, $.x, $.x)' } };

  test('is the most that a state gives on, and the most that a task gets', async () => {
    const task = { ...invokeProbe(), Parameters: { FunctionName: smoke.probeArn, Payload: three.Parameters }, ...caught('States.ALL') };
    const ends = await Promise.all([
      end(pass(three), { x: TOO_MUCH }),
      end({ Task: { ...task, End: true }, ...CAUGHT }, { x: TOO_MUCH }),
      end({ Task: { ...invokeProbe({ 'a.$': '$.x', 'b.$': '$.x' }), ResultPath: null, End: true } }, { x: TOO_MUCH }),
    ]);

    expect(ends.map(({ status, error }) => error ?? status)).toEqual(['States.DataLimitExceeded', 'States.DataLimitExceeded', 'SUCCEEDED']);
  });
});

describe('time limits', () => {
  test.each<[string, object]>([
    ['TimeoutSeconds', { TimeoutSeconds: 1 }],
    ['TimeoutSecondsPath', { TimeoutSecondsPath: '$.limits.seconds' }],
  ])('%s ends a call and a wait for a token, and no States.TaskFailed catches it', async (_field, limit) => {
    const input = { limits: { seconds: 1 } };
    const call = { ...invokeProbe({ sleepMs: 5000 }), ...limit, End: true };

    const ends = await Promise.all([
      end({ Task: { ...call, ...caught('States.TaskFailed') }, ...CAUGHT }, input),
      end({ Task: { ...call, ...caught('States.Timeout') }, ...CAUGHT }, input),
      end({ Task: { ...waitForToken(limit), ...caught('States.Timeout') }, ...CAUGHT }, input),
    ]);

    expect(ends[0]).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    for (const { output } of ends.slice(1)) expect(output).toMatchObject({ by: 'caught', error: { Error: 'States.Timeout' } });
  });

  test('HeartbeatSeconds end a wait for a token that nobody gives a sign for', async () => {
    const states = { Task: waitForToken({ HeartbeatSecondsPath: '$.seconds', ...caught('States.Timeout') }), ...CAUGHT };
    const [silent, alive] = await Promise.all([start(states, { seconds: 1 }), start(states, { seconds: 1 })]);
    const taskToken = await tokenOf(alive);

    let silentHasEnded = false;
    const silentEnd = silent.wait().finally(() => (silentHasEnded = true));
    await waitUntil('the silent one ends', 10_000, async () => {
      await sfn.send(new SendTaskHeartbeatCommand({ taskToken }));
      return silentHasEnded;
    });
    await smoke.cloud.succeedTask(taskToken, 'alive');

    await expect(silentEnd).resolves.toMatchObject({ output: { error: { Error: 'States.HeartbeatTimeout' } } });
    await expect(alive.wait()).resolves.toEqual({ status: 'SUCCEEDED', output: 'alive' });
  });

  test('of the machine end it as TIMED_OUT, whatever it would catch', async () => {
    const states = { Wait: waitForToken(caught('States.ALL')), ...CAUGHT };
    const execution = await start(states, {}, { TimeoutSeconds: 1 });
    const token = await tokenOf(execution);

    await expect(execution.wait()).resolves.toEqual({ status: 'TIMED_OUT', error: 'States.Timeout' });
    await expect(smoke.cloud.succeedTask(token, {})).rejects.toMatchObject({ name: 'TaskTimedOut' });
  });
});

describe('a task token', () => {
  test('takes one answer, and is told from one that never was', async () => {
    const execution = await start({ Wait: waitForToken() });
    const token = await tokenOf(execution);

    const published = smoke.cloud.topic(topicArn).messages();
    expect(published).toContainEqual({ subject: 'approve', message: expect.stringContaining(token) as string });

    await smoke.cloud.succeedTask(token, { approved: true });

    await expect(smoke.cloud.failTask(token, 'Late', '')).rejects.toMatchObject({ name: 'TaskTimedOut' });
    await expect(smoke.cloud.succeedTask('no-token', {})).rejects.toMatchObject({ name: 'InvalidToken' });
    await expect(execution.wait()).resolves.toEqual({ status: 'SUCCEEDED', output: { approved: true } });
  });

  test('is another one for each attempt', async () => {
    const Retry = [{ ErrorEquals: ['Again'], IntervalSeconds: 1, MaxAttempts: 1 }];
    const execution = await start({ Wait: waitForToken({ Retry }) });

    await smoke.cloud.failTask(await tokenOf(execution), 'Again', 'once');
    await smoke.cloud.failTask(await tokenOf(execution, 2), 'Rejected', 'by hand');

    await expect(execution.wait()).resolves.toMatchObject({ status: 'FAILED', error: 'Rejected', cause: 'by hand' });
    expect(new Set(tokensOf(execution)).size).toBe(2);
  });

  test('that a function should have handed on is not waited for when the function fails', async () => {
    const Resource = `${ARN_OF_INVOKE}.waitForTaskToken`;

    await expect(end({ Task: { ...invokeProbe({ fail: true }), Resource, End: true } })).resolves.toMatchObject({ error: 'ProbeFailed' });
  });
});

describe('StopExecution', () => {
  test.each<[string, () => States]>([
    ['a wait', () => ({ Wait: { Type: 'Wait', Seconds: 600, Next: 'After' } })],
    [
      'a wait between attempts',
      () => ({ Wait: { ...invokeProbe({ fail: true }), Retry: [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 600 }], Next: 'After' } }),
    ],
    ['a call', () => ({ Wait: { ...invokeProbe({ sleepMs: 1500 }), ...caught('States.ALL'), Next: 'After' }, ...CAUGHT })],
    ['a wait for a token', () => ({ Wait: waitForToken({ End: undefined, Next: 'After', ...caught('States.ALL') }), ...CAUGHT })],
    [
      'items of a Map',
      () => ({
        Wait: {
          Type: 'Map',
          ItemsPath: '$.items',
          ItemProcessor: { StartAt: 'Wait', States: { Wait: waitForToken() } },
          ...caught('States.ALL'),
          Next: 'After',
        },
        ...CAUGHT,
      }),
    ],
  ])('ends %s for good', async (_kind, states) => {
    const execution = await start({ ...states(), After: { Type: 'Pass', End: true } }, { items: [1, 2] });
    await waitUntil('it is there', 10_000, async () => (await execution.history()).some(({ state }) => state === 'Wait'));
    await execution.stop();

    await expect(execution.wait()).resolves.toEqual({ status: 'ABORTED' });
    for (const token of tokensOf(execution))
      await expect(smoke.cloud.succeedTask(token, {})).rejects.toMatchObject({ name: 'TaskTimedOut' });
    expect(await execution.history()).toEqual([{ state: 'Wait', enteredAt: expect.any(Date) as Date }]);
  });
});

test('the first item that fails ends a Map, with the others where they are', async () => {
  const inner = {
    Which: { Type: 'Choice', Choices: [{ Variable: '$', StringEquals: 'fails', Next: 'Fail' }], Default: 'Wait' },
    Wait: { Type: 'Wait', Seconds: 600, End: true },
    Fail: { Type: 'Fail', Error: 'ItemFailed', Cause: 'as it was told' },
  };
  const map = { Type: 'Map', ItemsPath: '$.items', ItemProcessor: { StartAt: 'Which', States: inner }, End: true };

  const ended = await end({ Map: { ...map, ...caught('ItemFailed') }, ...CAUGHT }, { items: ['waits', 'fails'] });

  expect(ended).toMatchObject({ status: 'SUCCEEDED', output: { error: { Error: 'ItemFailed', Cause: 'as it was told' } } });
});

describe('RedriveExecution', () => {
  test('goes on from the state that failed, with its input, and counts', async () => {
    const states = {
      First: { Type: 'Pass', Parameters: { 'redriven.$': '$$.Execution.RedriveCount' }, ResultPath: '$.first', Next: 'Ask' },
      Ask: waitForToken({ ResultPath: '$.answer', End: undefined, Next: 'Last' }),
      Last: { Type: 'Pass', Parameters: { 'input.$': '$', 'redriven.$': '$$.Execution.RedriveCount' }, End: true },
    };
    const execution = await start(states, { given: 1 });
    await smoke.cloud.failTask(await tokenOf(execution), 'NotYet', '');
    await expect(execution.wait()).resolves.toMatchObject({ status: 'FAILED', error: 'NotYet' });

    await execution.redrive();
    await expect(execution.redrive()).rejects.toMatchObject({ name: 'ExecutionNotRedrivable' });
    await smoke.cloud.succeedTask(await tokenOf(execution, 2), 'yes');

    await expect(execution.wait()).resolves.toEqual({
      status: 'SUCCEEDED',
      output: { input: { given: 1, first: { redriven: 0 }, answer: 'yes' }, redriven: 1 },
    });
    const described = await sfn.send(new DescribeExecutionCommand({ executionArn: execution.arn }));
    expect(described).toMatchObject({ redriveCount: 1, redriveStatus: 'NOT_REDRIVABLE', redriveDate: expect.any(Date) as Date });
    expect((await execution.history()).map(({ state }) => state)).toEqual(['First', 'Ask', 'Ask', 'Last']);
    expect(await execution.inputs()).toMatchObject([
      { answer: 'yes' },
      { first: { redriven: 0 } },
      { first: { redriven: 0 } },
      { given: 1 },
    ]);
    await expect(execution.redrive()).rejects.toMatchObject({ name: 'ExecutionNotRedrivable' });
  });

  test.each<[string, object]>([
    ['ABORTED', {}],
    ['TIMED_OUT', { TimeoutSeconds: 2 }],
  ])('goes on after %s, while what was under way then changes nothing any more', async (status, machine) => {
    const call = { ...invokeProbe({ sleepMs: 3000 }), ResultPath: null, End: undefined, Next: 'Ask' };
    const execution = await start({ Call: call, Ask: waitForToken() }, {}, machine);
    await waitUntil('it calls', 10_000, async () => (await execution.history()).length === 1);
    if (status === 'ABORTED') await execution.stop();
    await expect(execution.wait()).resolves.toMatchObject({ status });

    await execution.redrive();

    if (status === 'ABORTED') await smoke.cloud.succeedTask(await tokenOf(execution), 'answered');
    await expect(execution.wait()).resolves.toMatchObject({ status: status === 'ABORTED' ? 'SUCCEEDED' : status });
    const visited = (await execution.history()).map(({ state }) => state);
    expect(visited).toEqual(status === 'ABORTED' ? ['Call', 'Call', 'Ask'] : ['Call', 'Call']);
    expect(tokensOf(execution)).toHaveLength(status === 'ABORTED' ? 1 : 0);
  });
});

describe('the role of a state machine', () => {
  const judged = ({ arn }: Execution) =>
    smoke.cloud
      .calls()
      .filter(({ session }) => session === arn.split(':').at(-1))
      .map(({ action, resource, allowed }) => ({ action, resource, allowed }));

  test('is judged for what it calls, and is in the call log', async () => {
    const publish = { Type: 'Task', Resource: ARN_OF_PUBLISH, Parameters: { TopicArn: topicArn, Message: {} }, End: true };
    const execution = await start({ Call: { ...invokeProbe(), ResultPath: null, Next: 'Publish' }, Publish: publish });
    await expect(execution.wait()).resolves.toMatchObject({ status: 'SUCCEEDED' });

    expect(judged(execution)).toEqual([
      { action: 'lambda:InvokeFunction', resource: smoke.probeArn, allowed: true },
      { action: 'sns:Publish', resource: topicArn, allowed: true },
    ]);
  });

  test('that may do nothing calls nothing', async () => {
    const roleArn = await newRole(smoke.cloud);

    const call = await start({ Call: { ...invokeProbe(), End: true } }, {}, {}, roleArn);
    const publish = await start({ Publish: waitForToken() }, {}, {}, roleArn);

    await expect(call.wait()).resolves.toMatchObject({
      error: 'Lambda.AWSLambdaException',
      cause: expect.stringContaining(`is not authorized to perform: lambda:InvokeFunction on resource: ${smoke.probeArn}`) as string,
    });
    await expect(publish.wait()).resolves.toMatchObject({ error: 'SNS.AuthorizationErrorException' });
    expect([...judged(call), ...judged(publish)].map(({ allowed }) => allowed)).toEqual([false, false]);
    expect(tokensOf(publish)).toEqual([]);
  });
});

test('lets waits be shorter than they say', async () => {
  const cloud = await startLocalCloud({ waitScale: 0.001 });
  const client = new SFNClient(cloud.clientConfig());
  const definition = JSON.stringify({ StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 600, End: true } } });
  try {
    const roleArn = await newRole(cloud);
    const { stateMachineArn = '' } = await client.send(new CreateStateMachineCommand({ name: 'waits', definition, roleArn }));
    const execution = await cloud.stateMachine(stateMachineArn).start({}, 'by-name');

    await expect(execution.wait()).resolves.toEqual({ status: 'SUCCEEDED', output: {} });
    expect(execution.arn).toMatch(/:waits:by-name$/);
    expect(await execution.history()).toEqual([{ state: 'Wait', enteredAt: expect.any(Date) as Date, exitedAt: expect.any(Date) as Date }]);
  } finally {
    client.destroy();
    await cloud.stop();
  }
});

test('a function that is killed while it is called fails its task, and may be called again', async () => {
  const states = (Retry: object[]): States => ({ Call: { ...invokeProbe({ sleepMs: 1500 }), ResultPath: null, Retry, End: true } });
  const killDuring = async (execution: Execution) => {
    const id = execution.arn.split(':').at(-1);
    await waitUntil('the function runs', 10_000, () => Promise.resolve(smoke.cloud.calls().some(({ session }) => session === id)));
    await waitUntil('it is killed', 10_000, () => Promise.resolve(smoke.cloud.killFunction(smoke.probe) > 0));
  };

  const once = await start(states([]));
  await killDuring(once);
  // The emulator names the error by whether the function had begun already.
  await expect(once.wait()).resolves.toMatchObject({ status: 'FAILED', error: expect.stringMatching(/^Runtime\./) as string });
  const again = await start(states([{ ErrorEquals: ['Runtime.ExitError', 'Runtime.Unknown'], IntervalSeconds: 1 }]));
  await killDuring(again);

  await expect(again.wait()).resolves.toEqual({ status: 'SUCCEEDED', output: {} });
});
