import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CreateStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import { startLocalCloud } from '../../../local/cloud';
import { awsEnvironment } from '../../../local/cloud/clients';
import type { LocalCloud } from '../../../local/cloud';

jest.setTimeout(60_000);

let cloud: LocalCloud;
let sfn: SFNClient;
beforeAll(async () => {
  cloud = await startLocalCloud();
  sfn = new SFNClient(cloud.clientConfig());
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'states.amazonaws.com' } }],
  };
  const create = ['iam', 'create-role', '--role-name', 'any', '--assume-role-policy-document', JSON.stringify(trust)];
  await promisify(execFile)('aws', create, { env: awsEnvironment(cloud.endpoint, cloud.folder) });
});
afterAll(async () => {
  sfn.destroy();
  await cloud.stop();
});

let machines = 0;
/** A state machine of these states, the first one first. */
async function machine(states: Readonly<Record<string, object>>) {
  const definition = JSON.stringify({ StartAt: Object.keys(states)[0], States: states });
  const roleArn = 'arn:aws:iam::111111111111:role/any';
  const { stateMachineArn = '' } = await sfn.send(new CreateStateMachineCommand({ name: `machine-${machines++}`, definition, roleArn }));
  return cloud.stateMachine(stateMachineArn);
}
const run = async (states: Readonly<Record<string, object>>, input: object = {}) => (await (await machine(states)).start(input)).end();
const caught = [{ ErrorEquals: ['States.ALL'], ResultPath: '$.caught', Next: 'Caught' }];
const Caught = { Type: 'Succeed' };
/** Ends at once, by any error that the API gives. */
const task = { Type: 'Task', Resource: 'arn:aws:states:::aws-sdk:sqs:listQueues', ResultPath: null, End: true };
const waits = { ...task, Resource: 'arn:aws:states:::aws-sdk:sqs:listQueues.waitForTaskToken' };

test.each<[sentence: string, state: object, error: string]>([
  ['in the parameters', { ...task, Parameters: { 'x.$': '$.missing' } }, 'States.ParameterPathFailure'],
  ['deep in the parameters', { ...task, Parameters: { list: [{ 'x.$': '$.a.missing' }] } }, 'States.ParameterPathFailure'],
  ['as the input', { ...task, InputPath: '$.missing' }, 'States.Runtime'],
  ['as the output', { Type: 'Pass', OutputPath: '$.missing', End: true }, 'States.Runtime'],
  [
    'in a choice',
    { Type: 'Choice', Choices: [{ Variable: '$.missing', StringEquals: 'x', Next: 'Caught' }], Default: 'Caught' },
    'States.Runtime',
  ],
  ['as the seconds of a wait', { Type: 'Wait', SecondsPath: '$.missing', End: true }, 'States.Runtime'],
])('a path that finds nothing %s fails the execution', async (_sentence, state, error) => {
  expect(await run({ First: state, Caught }, { a: {} })).toMatchObject({ status: 'FAILED', error });
});

test('a path to null finds something', async () => {
  expect(await run({ First: { Type: 'Pass', Parameters: { 'x.$': '$.a' }, End: true } }, { a: null })).toMatchObject({
    output: { x: null },
  });
});

test('IsPresent asks for what may be missing', async () => {
  const choice = { Type: 'Choice', Choices: [{ Variable: '$.missing', IsPresent: true, Next: 'Wrong' }], Default: 'Caught' };

  expect(await run({ First: choice, Caught, Wrong: { Type: 'Fail' } })).toMatchObject({ status: 'SUCCEEDED' });
});

test('States.ALL does not catch States.Runtime, and does catch a parameter that is missing', async () => {
  const parameters = { First: { ...task, Parameters: { 'x.$': '$.missing' }, Catch: caught }, Caught };
  const input = { First: { ...task, InputPath: '$.missing', Catch: caught }, Caught };

  expect(await run(input)).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  expect(await run(parameters)).toMatchObject({ status: 'FAILED', error: 'States.ParameterPathFailure' });
});

test('what a state hands on has at most 256 KiB', async () => {
  const pass = { First: { Type: 'Pass', End: true } };

  expect(await run(pass, { text: 'x'.repeat(250_000) })).toMatchObject({ status: 'SUCCEEDED' });
  expect(await run(pass, { text: 'ü'.repeat(140_000) })).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
});

test('the time limit of a task may stand in its input, and a token is worth nothing afterwards', async () => {
  const began = Date.now();

  const end = await run({ First: { ...waits, TimeoutSecondsPath: '$.limit', Catch: caught }, Caught }, { limit: 1 });

  expect(end).toMatchObject({ status: 'SUCCEEDED', output: { caught: { Error: 'States.Timeout' } } });
  expect(Date.now() - began).toBeLessThan(10_000);
  await expect((await machine({ First: Caught })).failTask('nobody', 'x', 'y')).rejects.toMatchObject({ name: 'TaskDoesNotExist' });
});

test('an execution that is stopped enters no other state, and continues from where it was when it is redriven', async () => {
  const states = {
    First: { Type: 'Pass', Result: 'kept', ResultPath: '$.first', Next: 'Second' },
    Second: { Type: 'Wait', Seconds: 2, Next: 'Third' },
    Third: { Type: 'Pass', Result: 'made', ResultPath: '$.third', End: true },
  };
  const execution = await (await machine(states)).start({ input: 1 });
  await execution.enters('Second');
  await execution.stop();

  expect(await execution.end()).toMatchObject({ status: 'ABORTED' });
  await execution.redrive();

  expect(await execution.end()).toMatchObject({ status: 'SUCCEEDED', output: { input: 1, first: 'kept', third: 'made' } });
  expect(await execution.states()).toEqual(['First', 'Second', 'Second', 'Third']);
});

test('an execution that succeeded cannot be redriven', async () => {
  const execution = await (await machine({ First: Caught })).start({});
  await execution.end();

  await expect(execution.redrive()).rejects.toMatchObject({ name: 'ExecutionNotRedrivable' });
});
