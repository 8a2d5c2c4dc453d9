import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketReplicationCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { waitUntil } from '../../../local/child-process';
import { pythonPath } from '../../../local/tools';
import type { SmokeCloud } from './smoke-cloud';
import { startSmokeCloud } from './smoke-cloud';

// One test per repair of local/cloud/emulator.py: each fails when the emulator is started without that repair.
jest.setTimeout(120_000);

let smoke: SmokeCloud;
let s3: S3Client;
beforeAll(async () => {
  smoke = await startSmokeCloud();
  s3 = new S3Client(smoke.cloud.clientConfig());
});
afterAll(async () => {
  s3.destroy();
  await smoke.cloud.stop();
});

test('refuses any version that the repairs were not tried with', async () => {
  const program = `
import importlib.metadata, runpy, sys
importlib.metadata.version = lambda name: "9.9.9"
runpy.run_path(sys.argv[1], run_name="__main__")`;

  const run = promisify(execFile)(pythonPath(), ['-c', program, path.resolve('local/cloud/emulator.py')]);

  await expect(run).rejects.toThrow('ministack 9.9.9 is installed');
});

test('judges calls as TLS: a bucket that denies anything else can be written to by a function’s role', async () => {
  const role = await smoke.s3OfProbe();

  const written = role.send(new PutObjectCommand({ Bucket: smoke.bucket, Key: 'over-tls', Body: 'x' }));

  await expect(written).resolves.toHaveProperty('ETag');
  role.destroy();
});

test('checksums an upload in parts as a whole when asked to', async () => {
  const parts = [Buffer.alloc(5 * 1024 * 1024, 'a'), Buffer.from('and the end')];
  const object = { Bucket: smoke.bucket, Key: 'in-parts' };
  const { UploadId } = await s3.send(
    new CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' }),
  );
  const upload = { ...object, UploadId };
  const Parts = [];
  for (const [index, Body] of parts.entries()) {
    const PartNumber = index + 1;
    const { ETag, ChecksumCRC32 } = await s3.send(new UploadPartCommand({ ...upload, PartNumber, Body, ChecksumAlgorithm: 'CRC32' }));
    Parts.push({ PartNumber, ETag, ChecksumCRC32 });
  }
  const whole = Buffer.alloc(4);
  whole.writeUInt32BE(crc32(Buffer.concat(parts)));
  const MultipartUpload = { Parts };
  const complete = (ChecksumCRC32: string) =>
    s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload, ChecksumType: 'FULL_OBJECT', ChecksumCRC32 }));

  await expect(complete('AAAAAA==')).rejects.toMatchObject({ name: 'BadDigest' });
  const completed = await complete(whole.toString('base64'));
  const head = await s3.send(new HeadObjectCommand({ ...object, ChecksumMode: 'ENABLED' }));

  const expected = { ChecksumCRC32: whole.toString('base64'), ChecksumType: 'FULL_OBJECT' };
  expect(completed).toMatchObject(expected);
  expect(head).toMatchObject(expected);
});

test('tags what was uploaded in parts, as the request said that opened the upload', async () => {
  const object = { Bucket: smoke.bucket, Key: 'tagged-and-complete' };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...object, Tagging: 'what=plain%20file' }));
  const { ETag } = await s3.send(new UploadPartCommand({ ...object, UploadId, PartNumber: 1, Body: 'x' }));
  await s3.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }));

  expect((await s3.send(new GetObjectTaggingCommand(object))).TagSet).toEqual([{ Key: 'what', Value: 'plain file' }]);
});

describe('asks for the rights that S3 asks for', () => {
  let role: S3Client;
  beforeAll(async () => {
    role = await smoke.s3OfProbe();
  });
  afterAll(() => role.destroy());
  const lock = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: new Date(Date.now() + 3_600_000) } as const;
  const judged = (action: string, key: string) =>
    smoke.cloud.calls().find((call) => call.action === action && (call.resource.endsWith(key) || call.context['s3:prefix'] === key));

  test('to lock what is written, at once or in parts', async () => {
    const locked = (Key: string) => ({ Bucket: smoke.bucket, Key, ...lock });

    await role.send(new PutObjectCommand({ ...locked('locked'), Body: 'x', ChecksumAlgorithm: 'SHA256' }));
    await role.send(new CreateMultipartUploadCommand(locked('locked-in-parts')));
    const refused = [
      role.send(new PutObjectCommand({ ...locked('never-locked/1'), Body: 'x', ChecksumAlgorithm: 'SHA256' })),
      role.send(new CreateMultipartUploadCommand(locked('never-locked/2'))),
    ];

    await Promise.all(refused.map((write) => expect(write).rejects.toMatchObject({ name: 'AccessDenied' })));
    await role.send(new PutObjectCommand({ Bucket: smoke.bucket, Key: 'never-locked/3', Body: 'x' }));
    const verdicts = ['locked', 'locked-in-parts', 'never-locked/1', 'never-locked/2', 'never-locked/3'].map((key) =>
      judged('s3:PutObjectRetention', `/${key}`),
    );
    expect(verdicts.map((call) => call?.allowed)).toEqual([true, true, false, false, undefined]);
  });

  test('to tag what is written, at once or in parts', async () => {
    const tagged = (Key: string) => ({ Bucket: smoke.bucket, Key, Tagging: 'a=b' });

    await role.send(new PutObjectCommand({ ...tagged('tagged'), Body: 'x' }));
    await role.send(new CreateMultipartUploadCommand(tagged('tagged-in-parts')));
    const refused = [
      role.send(new PutObjectCommand({ ...tagged('never-tagged/1'), Body: 'x' })),
      role.send(new CreateMultipartUploadCommand(tagged('never-tagged/2'))),
    ];

    await Promise.all(refused.map((write) => expect(write).rejects.toMatchObject({ name: 'AccessDenied' })));
    const verdicts = ['tagged', 'tagged-in-parts', 'never-tagged/1', 'never-tagged/2'].map((key) =>
      judged('s3:PutObjectTagging', `/${key}`),
    );
    expect(verdicts.map((call) => call?.allowed)).toEqual([true, true, false, false]);
  });

  test('to list, before it tells that an object is missing', async () => {
    const read = (Key: string) => role.send(new GetObjectCommand({ Bucket: smoke.bucket, Key }));
    const head = (Key: string) => role.send(new HeadObjectCommand({ Bucket: smoke.bucket, Key }));

    await expect(read('read/listed/missing')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(head('read/listed/missing')).rejects.toMatchObject({ name: 'NotFound' });
    await expect(read('read/missing')).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(head('read/missing')).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });

    expect(judged('s3:ListBucket', 'read/listed/missing')?.allowed).toBe(true);
    expect(judged('s3:ListBucket', 'read/missing')?.allowed).toBe(false);
  });
});

test('fills in what Scheduler knows about a run', async () => {
  const input = { slot: '<aws.scheduler.scheduled-time>', run: '<aws.scheduler.execution-id>', attempt: '<aws.scheduler.attempt-number>' };
  const target = { Arn: smoke.probeArn, RoleArn: smoke.callerArn, Input: JSON.stringify(input) };
  const at = new Date(Date.now() + 1000).toISOString().slice(0, 19);
  const schedule = ['--name', 'once', '--schedule-expression', `at(${at})`, '--flexible-time-window', 'Mode=OFF'];

  await smoke.aws('scheduler', 'create-schedule', ...schedule, '--target', JSON.stringify(target));

  const seen = async () => (await smoke.cloud.logs(smoke.probe)).find((line) => line.includes('"slot"'));
  await waitUntil('the schedule fires', 30_000, async () => (await seen()) !== undefined, 250);
  expect(await seen()).toMatch(/"slot":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ","run":"[0-9a-f-]{36}","attempt":"1"/);
});

test('names a throttled call in a state machine as AWS does', async () => {
  const task = {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName: smoke.probeArn, Payload: { sleepMs: 3000 } },
    Catch: [{ ErrorEquals: ['Lambda.TooManyRequestsException'], Next: 'Throttled' }],
    End: true,
  };
  const definition = { StartAt: 'Call', States: { Call: task, Throttled: { Type: 'Pass', Result: 'throttled', End: true } } };
  const machine = ['--name', 'throttle', '--definition', JSON.stringify(definition), '--role-arn', smoke.callerArn];
  const { stateMachineArn } = z
    .object({ stateMachineArn: z.string() })
    .parse(await smoke.aws('stepfunctions', 'create-state-machine', ...machine));
  const Started = z.object({ executionArn: z.string() });
  const Execution = z.object({ status: z.string(), output: z.string().optional() });

  const busy = smoke.cloud.invoke(smoke.probe, { sleepMs: 8000 });
  const { executionArn } = Started.parse(await smoke.aws('stepfunctions', 'start-execution', '--state-machine-arn', stateMachineArn));
  const describe = async () => Execution.parse(await smoke.aws('stepfunctions', 'describe-execution', '--execution-arn', executionArn));
  await waitUntil('the execution ends', 20_000, async () => (await describe()).status !== 'RUNNING', 250);

  expect(await describe()).toMatchObject({ status: 'SUCCEEDED', output: '"throttled"' });
  await busy;
});

test('reads an output of a stack in the region that is named', async () => {
  const make = async (region: string, name: string, value: unknown) => {
    const client = new CloudFormationClient(smoke.cloud.clientConfig(region));
    const Resources = { Queue: { Type: 'AWS::SQS::Queue' } };
    const template = { Resources, Outputs: { Told: { Value: value } } };
    await client.send(new CreateStackCommand({ StackName: name, TemplateBody: JSON.stringify(template) }));
    const describe = async () => (await client.send(new DescribeStacksCommand({ StackName: name }))).Stacks?.[0];
    await waitUntil(`${name} is made`, 10_000, async () => (await describe())?.StackStatus === 'CREATE_COMPLETE');
    const stack = await describe();
    client.destroy();
    return stack?.Outputs?.[0]?.OutputValue;
  };

  const there = await make('eu-west-1', 'there', { 'Fn::GetAtt': ['Queue', 'Arn'] });
  const here = await make('eu-central-1', 'here', {
    'Fn::GetStackOutput': { StackName: 'there', OutputName: 'Told', Region: 'eu-west-1' },
  });

  expect(there).toContain(':eu-west-1:');
  expect(here).toBe(there);
});

test('copies from bucket to bucket after the answer, with lock and content type, and delete markers where the rule says so', async () => {
  const away = new S3Client(smoke.cloud.clientConfig('eu-west-1'));
  await away.send(new CreateBucketCommand({ Bucket: 'copies', ObjectLockEnabledForBucket: true }));
  const rule = (prefix: string, markers: 'Enabled' | 'Disabled', Priority: number) => ({
    ...{ ID: prefix, Priority, Status: 'Enabled' as const, Filter: { Prefix: prefix } },
    ...{ DeleteMarkerReplication: { Status: markers }, Destination: { Bucket: 'arn:aws:s3:::copies' } },
  });
  const ReplicationConfiguration = { Role: 'copier', Rules: [rule('hidden/', 'Enabled', 1), rule('shown/', 'Disabled', 2)] };
  await s3.send(new PutBucketReplicationCommand({ Bucket: smoke.bucket, ReplicationConfiguration }));
  const until = new Date(Date.now() + 3_600_000);
  until.setMilliseconds(0);
  const lock = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: until } as const;
  const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket: smoke.bucket, Key, Body: Key, ContentType: 'text/plain', ...lock }));
  const statusOf = async (Key: string) => (await s3.send(new HeadObjectCommand({ Bucket: smoke.bucket, Key }))).ReplicationStatus;
  const copiesOf = async (Prefix: string) => {
    const { Versions = [], DeleteMarkers = [] } = await away.send(new ListObjectVersionsCommand({ Bucket: 'copies', Prefix }));
    return [Versions.length, DeleteMarkers.length];
  };

  smoke.cloud.replication.pause();
  for (const key of ['hidden/a', 'shown/a', 'neither/a']) await put(key);
  const paused = [await statusOf('hidden/a'), await statusOf('shown/a'), await statusOf('neither/a'), await copiesOf('')];
  smoke.cloud.replication.resume();
  await waitUntil('both are copied', 10_000, async () => (await statusOf('shown/a')) === 'COMPLETED');
  for (const Key of ['shown/a', 'hidden/a']) await s3.send(new DeleteObjectCommand({ Bucket: smoke.bucket, Key }));
  await waitUntil('a marker is copied', 10_000, async () => (await copiesOf('hidden/')).join() === '1,1');
  const copy = await away.send(new HeadObjectCommand({ Bucket: 'copies', Key: 'shown/a' }));
  away.destroy();

  expect(paused).toEqual(['PENDING', 'PENDING', undefined, [0, 0]]);
  expect(copy).toMatchObject({ ReplicationStatus: 'REPLICA', ContentType: 'text/plain', ...lock });
  expect(await statusOf('neither/a')).toBeUndefined();
});

test('listens on loopback only', async () => {
  const others = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.filter(({ internal }) => !internal));
  const ports = [smoke.cloud.endpoint, smoke.cloud.faults.endpoint].map((endpoint) => Number(new URL(endpoint).port));

  const open = await Promise.all(ports.flatMap((port) => others.map(({ address }) => accepts(address, port))));

  expect(await Promise.all(ports.map((port) => accepts('127.0.0.1', port)))).toEqual([true, true]);
  expect(open.filter(Boolean)).toEqual([]);
});

const accepts = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const answer = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => answer(true));
    socket.once('timeout', () => answer(false));
    socket.once('error', () => answer(false));
  });
