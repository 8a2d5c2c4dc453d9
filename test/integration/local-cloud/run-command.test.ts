import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  CancelCommandCommand,
  CreateDocumentCommand,
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  ListCommandInvocationsCommand,
  SSMClient,
  SendCommandCommand,
} from '@aws-sdk/client-ssm';
import type { GetCommandInvocationCommandOutput, SendCommandCommandInput } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import { waitUntil } from '../../../local/child-process';
import type { LocalCloud } from '../../../local/cloud';
import { startLocalCloud } from '../../../local/cloud';
import { awsEnvironment } from '../../../local/cloud/clients';
import { makeTree } from '../../../local/nodes/node-tree';
import type { NodeTree } from '../../../local/nodes/node-tree';
import type { NodeEntry } from '../../../local/nodes/nodes-file';
import { writeNodeEntry } from '../../../local/nodes/nodes-file';

// Run Command as AWS does it, on nodes that are no more than a folder: each test fails without local/cloud/run_command.py.
jest.setTimeout(60_000);

const [FIRST, SECOND, LOST] = ['i-00000000000000001', 'i-00000000000000002', 'i-00000000000000003'] as const;

let cloud: LocalCloud;
let ssm: SSMClient;
let folder: string;
let first: { readonly tree: NodeTree; readonly entry: NodeEntry };
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-run-command-'));
  cloud = await startLocalCloud();
  ssm = new SSMClient(cloud.clientConfig());
  for (const [index, instanceId] of [FIRST, SECOND, LOST].entries()) {
    const tree = makeTree(path.join(folder, `node-${index + 1}`));
    const env = { PATH: '/usr/bin:/bin', WHERE: `node-${index + 1}` };
    const tags = { role: index === 0 ? 'first' : 'other', all: 'yes' };
    const online = instanceId !== LOST;
    const entry = { folder: tree.folder, address: '127.0.0.1', runDir: tree.runDir, env, tags, online, powerCuts: 0, prefix: [] };
    writeNodeEntry(cloud.nodesFile, instanceId, entry);
    if (instanceId === FIRST) first = { tree, entry };
  }
  await document('say', [
    '#!/usr/bin/env bash',
    'echo "$WHERE says \'{{ word }}\' ${BASH_VERSION:+by bash}"',
    'echo aside >&2',
    'exit {{ code }}',
  ]);
  await document('long', ['printf "%0*d" {{ code }} 0', 'printf "%0*d" {{ code }} 0 >&2', 'exit 0']);
  await document('forever', ['sleep 60', 'exit {{ code }}'], '1');
  await document('patient', ['sleep 60', 'exit {{ code }}']);
  await document('counting', [
    'echo {{ word }} >>runs',
    'until [ -e go ] || [ $(wc -l <runs) -gt 1 ]; do sleep 0.05; done',
    'cat runs; exit {{ code }}',
  ]);
});
afterAll(async () => {
  ssm.destroy();
  await cloud.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function document(Name: string, runCommand: string[], timeoutSeconds = '60'): Promise<void> {
  const Content = JSON.stringify({
    schemaVersion: '2.2',
    parameters: { word: { type: 'String', allowedPattern: '^[a-z]+$', default: 'hello' }, code: { type: 'String', default: '0' } },
    mainSteps: [{ action: 'aws:runShellScript', name: 'run', inputs: { timeoutSeconds, runCommand } }],
  });
  await ssm.send(new CreateDocumentCommand({ Name, Content, DocumentType: 'Command' }));
}

const send = async (DocumentName: string, input: Partial<SendCommandCommandInput> = {}): Promise<string> => {
  const { Command } = await ssm.send(new SendCommandCommand({ DocumentName, InstanceIds: [FIRST], ...input }));
  return Command?.CommandId ?? '';
};

const read = (CommandId: string, InstanceId: string = FIRST) => ssm.send(new GetCommandInvocationCommand({ CommandId, InstanceId }));

async function ended(CommandId: string, InstanceId: string = FIRST): Promise<GetCommandInvocationCommandOutput> {
  await waitUntil(
    'the command ends',
    20_000,
    async () => !/Pending|InProgress|Cancelling/.test((await read(CommandId, InstanceId)).Status ?? ''),
  );
  return read(CommandId, InstanceId);
}

test('runs a document on the node, by the shell that its first line names, with its parameters filled in', async () => {
  const answer = await ended(await send('say', { Parameters: { word: ['ahoy'] } }));

  expect(answer).toMatchObject({ Status: 'Success', ResponseCode: 0, StandardErrorContent: 'aside\n' });
  expect(answer.StandardOutputContent).toBe("node-1 says 'ahoy' by bash\n");
});

test('fails with the exit code of the script', async () => {
  expect(await ended(await send('say', { Parameters: { code: ['7'] } }))).toMatchObject({ Status: 'Failed', ResponseCode: 7 });
});

test('reaches every node with a tag, and each invocation is listed, page by page', async () => {
  const CommandId = await send('say', { InstanceIds: undefined, Targets: [{ Key: 'tag:all', Values: ['yes'] }] });
  for (const each of [FIRST, SECOND]) await ended(CommandId, each);

  const first = await ssm.send(new ListCommandInvocationsCommand({ CommandId, Details: true, MaxResults: 1 }));
  const second = await ssm.send(new ListCommandInvocationsCommand({ CommandId, Details: true, MaxResults: 1, NextToken: first.NextToken }));

  expect(second.NextToken).toBeUndefined();
  // Nobody promises an order.
  const invocations = [...(first.CommandInvocations ?? []), ...(second.CommandInvocations ?? [])].sort((one, other) =>
    one.InstanceId! < other.InstanceId! ? -1 : 1,
  );
  expect(invocations.map(({ InstanceId }) => InstanceId)).toEqual([FIRST, SECOND]);
  expect(invocations[1]?.CommandPlugins?.[0]?.Output).toBe("node-2 says 'hello' by bash\n\n----------ERROR-------\naside\n");
});

test('cuts output off: 24,000 and 8,000 characters of one invocation, 2,500 in a list', async () => {
  const CommandId = await send('long', { Parameters: { code: ['30000'] } });

  const { StandardOutputContent = '', StandardErrorContent = '' } = await ended(CommandId);
  const { CommandInvocations = [] } = await ssm.send(new ListCommandInvocationsCommand({ CommandId, Details: true }));

  expect([StandardOutputContent.length, StandardErrorContent.length]).toEqual([24_000, 8_000]);
  expect(CommandInvocations[0]?.CommandPlugins?.[0]?.Output).toHaveLength(2_500);
});

test('ends what takes longer than its document allows', async () => {
  expect(await ended(await send('forever'))).toMatchObject({ Status: 'TimedOut', StatusDetails: 'ExecutionTimedOut', ResponseCode: 137 });
});

test('cancels', async () => {
  const CommandId = await send('patient');
  await waitUntil('the command runs', 10_000, async () => (await read(CommandId)).Status === 'InProgress');

  await ssm.send(new CancelCommandCommand({ CommandId }));

  expect(await ended(CommandId)).toMatchObject({ Status: 'Cancelled' });
});

test.each<[what: string, name: string, input: Partial<SendCommandCommandInput>, error: string]>([
  ['a node that it does not know', 'say', { InstanceIds: ['i-0ffffffffffffffff'] }, 'InvalidInstanceId'],
  ['a document that it does not know', 'shout', {}, 'InvalidDocument'],
  ['a parameter that the document has not', 'say', { Parameters: { loud: ['yes'] } }, 'InvalidParameters'],
  ['a value that does not match', 'say', { Parameters: { word: ["x'; reboot"] } }, 'InvalidParameters'],
  ['a delivery time below AWS’s own', 'say', { TimeoutSeconds: 5 }, 'ValidationException'],
])('refuses %s', async (_what, name, input, error) => {
  await expect(send(name, input)).rejects.toMatchObject({ name: error });
});

test('cannot deliver to a node whose agent is silent, and says so of the node', async () => {
  const { InstanceInformationList = [] } = await ssm.send(new DescribeInstanceInformationCommand({ Filters: [{ Key: 'tag:role', Values: ['other'] }] })); // prettier-ignore

  expect(await ended(await send('say', { InstanceIds: [LOST] }), LOST)).toMatchObject({ StatusDetails: 'Undeliverable', ResponseCode: -1 });
  expect(InstanceInformationList.map(({ InstanceId, PingStatus }) => [InstanceId, PingStatus])).toEqual([
    [SECOND, 'Online'],
    [LOST, 'ConnectionLost'],
  ]);
});

describe('a node that goes away under a document', () => {
  const change = (entry: Partial<NodeEntry>) => writeNodeEntry(cloud.nodesFile, FIRST, { ...first.entry, ...entry });
  const inFolder = (...names: string[]) => names.map((name) => path.join(first.tree.folder, name));
  const begun = async (): Promise<string> => {
    const CommandId = await send('counting');
    await waitUntil('the command runs', 10_000, async () => inFolder('runs').every(existsSync));
    return CommandId;
  };
  const cutThePower = () => {
    change({ online: false, powerCuts: 1 });
    for (const file of readdirSync(first.tree.runDir).filter((name) => name.endsWith('.pid')))
      process.kill(-Number(readFileSync(path.join(first.tree.runDir, file), 'utf8')), 'SIGKILL');
  };
  afterEach(() => {
    change({});
    for (const file of inFolder('runs', 'go')) rmSync(file, { force: true });
  });

  test('leaves it in progress, and runs it again from its start when it is back', async () => {
    const CommandId = await begun();

    cutThePower();
    await waitUntil('the document is dead', 10_000, async () => readdirSync(first.tree.runDir).length === 0);
    expect(await read(CommandId)).toMatchObject({ Status: 'InProgress', StandardOutputContent: '' });
    change({ powerCuts: 1 });

    expect(await ended(CommandId)).toMatchObject({ Status: 'Success', StandardOutputContent: 'hello\nhello\n' });
  });

  test('has not heard that it was cancelled meanwhile', async () => {
    const CommandId = await begun();

    cutThePower();
    await ssm.send(new CancelCommandCommand({ CommandId }));
    change({ powerCuts: 1 });

    expect(await ended(CommandId)).toMatchObject({ Status: 'Success' });
  });

  test('tells its end when only its connection was away', async () => {
    const CommandId = await begun();

    change({ online: false });
    execFileSync('touch', inFolder('go'));
    await waitUntil('the document is over', 10_000, async () => readdirSync(first.tree.runDir).length === 0);
    expect(await read(CommandId)).toMatchObject({ Status: 'InProgress' });
    change({});

    expect(await ended(CommandId)).toMatchObject({ Status: 'Success', StandardOutputContent: 'hello\n' });
  });
});

test('lets a role send the document that it may send, and no other', async () => {
  const env = awsEnvironment(cloud.endpoint, folder);
  const iam = async (...args: string[]) => (await promisify(execFile)('aws', ['iam', ...args, '--output', 'json'], { env })).stdout;
  const allowed = ['document/say', 'instance/*'].map((each) => `arn:aws:${each.startsWith('i') ? 'ec2' : 'ssm'}:*:*:${each}`);
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'ssm:SendCommand', Resource: allowed }] };
  await iam('create-user', '--user-name', 'sender');
  await iam('put-user-policy', '--user-name', 'sender', '--policy-name', 'send', '--policy-document', JSON.stringify(policy));
  const Key = z.object({ AccessKey: z.object({ AccessKeyId: z.string(), SecretAccessKey: z.string() }) });
  const { AccessKey } = Key.parse(JSON.parse(await iam('create-access-key', '--user-name', 'sender')));
  const credentials = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
  const sender = new SSMClient({ ...cloud.clientConfig(), credentials });

  const answers = ['say', 'long'].map((DocumentName) => sender.send(new SendCommandCommand({ DocumentName, InstanceIds: [FIRST] })));

  await expect(answers[0]).resolves.toHaveProperty('Command');
  await expect(answers[1]).rejects.toMatchObject({ name: 'AccessDeniedException' });
  sender.destroy();
});
