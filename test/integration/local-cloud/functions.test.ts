import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetFunctionConcurrencyCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { z } from 'zod';
import type { SmokeCloud } from './smoke-cloud';
import { startSmokeCloud } from './smoke-cloud';

jest.setTimeout(120_000);

let smoke: SmokeCloud;
beforeAll(async () => {
  smoke = await startSmokeCloud();
});
afterAll(() => smoke.cloud.stop());

const Answer = z.object({
  event: z.unknown(),
  node: z.string(),
  remainingMs: z.number(),
  /** Of Date.now(), new Date() and Date(). */
  times: z.array(z.number()),
  then: z.string(),
  environment: z.record(z.string(), z.string()),
});

const DAY_MS = 86_400_000;

async function probe(event: unknown): Promise<z.infer<typeof Answer>> {
  const answer = await smoke.cloud.invoke(smoke.probe, event);
  if (answer.outcome === 'failed') throw new Error(answer.error.message);
  return Answer.parse(answer.result);
}

describe('a deployed function', () => {
  test('gets its event, the time left, and Node 24', async () => {
    const { event, node, remainingMs } = await probe({ hello: 'there' });

    expect(event).toEqual({ hello: 'there' });
    expect(node).toMatch(/^v24\./);
    expect(remainingMs).toBeGreaterThan(5_000);
  });

  test('fails with the name and message of its own error', async () => {
    const answer = await smoke.cloud.invoke(smoke.probe, { fail: true });

    expect(answer).toMatchObject({ outcome: 'failed', error: { name: 'ProbeFailed', message: 'as it was told' } });
  });

  test('is ended at its time limit, and serves again', async () => {
    const answer = await smoke.cloud.invoke(smoke.probe, { sleepMs: 60_000 });

    expect(answer).toMatchObject({ outcome: 'failed', error: { name: 'Sandbox.Timedout' } });
    expect((await probe({})).event).toEqual({});
    expect(smoke.cloud.processesOf(smoke.probe)).toHaveLength(1);
  });

  test('counts as failed when it throws and when it is ended at its time limit, as Lambda counts', async () => {
    const errors = async () =>
      (await smoke.cloud.metrics()).filter(({ metric, dimensions }) => metric === 'Errors' && dimensions['FunctionName'] === smoke.probe);
    const before = (await errors()).length;

    for (const event of [{}, { fail: true }, { sleepMs: 60_000 }]) await smoke.cloud.invoke(smoke.probe, event);

    expect((await errors()).slice(before).map(({ value }) => value)).toEqual([0, 1, 1]);
  });

  test('inherits nothing from whoever started the cloud', async () => {
    const { environment } = await probe({});

    expect(Object.keys(environment).filter((name) => /^(npm_|JEST|INIT_CWD|LIFEBOAT_PYTHON)/.test(name))).toEqual([]);
    expect(environment['AWS_ENDPOINT_URL']).toBe(smoke.cloud.faults.endpoint);
    expect(environment['SECRET']).toMatch(/^arn:aws:secretsmanager:/);
  });

  test('leaves its logs and its peak of memory', async () => {
    await probe({ mark: 'find-me' });

    expect((await smoke.cloud.logs(smoke.probe)).join('\n')).toContain('find-me');
    expect(smoke.cloud.peakRssMiB(smoke.probe)).toBeGreaterThan(20);
  });

  test('leaves what its process holds after each call', async () => {
    await probe({});
    await probe({});

    const [before, after] = smoke.cloud.processRecords(smoke.probe).slice(-2);
    expect(after!.pid).toBe(before!.pid);
    expect(after!.rssKiB).toBeGreaterThan(20 * 1024);
    expect(after!.peakRssKiB).toBeGreaterThanOrEqual(before!.peakRssKiB);
    expect(after!.openFiles ?? 10).toBeGreaterThan(3);
  });

  test('that is killed fails by the name that Lambda gives, and serves again', async () => {
    const told = Promise.withResolvers<undefined>();
    const ear = createServer((_request, response) => {
      told.resolve(undefined);
      response.end();
    });
    ear.listen(0, '127.0.0.1');
    await once(ear, 'listening');
    const { port } = ear.address() as AddressInfo;

    const running = smoke.cloud.invoke(smoke.probe, { tell: `http://127.0.0.1:${String(port)}/`, sleepMs: 9_000 });
    await told.promise;
    const killed = smoke.cloud.killFunction(smoke.probe);
    ear.close();

    expect(killed).toBe(1);
    expect(await running).toMatchObject({ outcome: 'failed', error: { name: 'Runtime.ExitError' } });
    expect((await probe({})).event).toEqual({});
    expect(smoke.cloud.killFunction('some-other-function')).toBe(0);
  });

  test('lives by a clock that callers move, from its next call on', async () => {
    const began = Date.now();

    smoke.cloud.clock.advance(3 * DAY_MS);
    const { times, then, remainingMs } = await probe({});
    const moved = smoke.cloud.clock.now().getTime();
    smoke.cloud.clock.reset();
    const { times: after } = await probe({});

    // The text of Date() has whole seconds.
    for (const time of times) expect(time).toBeGreaterThanOrEqual(began + 3 * DAY_MS - 1_000);
    for (const time of times) expect(time).toBeLessThanOrEqual(moved);
    expect(then).toBe('1970-01-01T00:00:00.000Z');
    expect(remainingMs).toBeGreaterThan(5_000);
    expect(remainingMs).toBeLessThanOrEqual(10_000);
    for (const time of after) expect(time).toBeLessThan(began + DAY_MS);
  });

  test('signs its calls by that clock, which is taken only as long as it is moved', async () => {
    const credentials = await (await smoke.s3OfProbe()).config.credentials();
    const later = { systemClockOffset: 3 * DAY_MS, maxAttempts: 1 };
    const put = async () => {
      const s3 = new S3Client({ ...smoke.cloud.clientConfig(), endpoint: smoke.cloud.faults.endpoint, credentials, ...later });
      await s3.send(new PutObjectCommand({ Bucket: smoke.bucket, Key: 'later', Body: 'x' })).finally(() => s3.destroy());
    };

    await expect(put()).rejects.toMatchObject({ name: 'RequestTimeTooSkewed' });
    smoke.cloud.clock.advance(3 * DAY_MS);
    await expect(put()).resolves.toBeUndefined();
    smoke.cloud.clock.reset();
    await expect(put()).rejects.toMatchObject({ name: 'RequestTimeTooSkewed' });
  });

  test('can do with its role what its policy says, and nothing else, and every judgement is recorded', async () => {
    const s3 = await smoke.s3OfProbe();
    const before = smoke.cloud.calls().length;

    await s3.send(new PutObjectCommand({ Bucket: smoke.bucket, Key: 'mine', Body: 'x' }));
    await expect(s3.send(new GetObjectCommand({ Bucket: smoke.bucket, Key: 'mine' }))).rejects.toMatchObject({ name: 'AccessDenied' });
    s3.destroy();

    const calls = smoke.cloud
      .calls()
      .slice(before)
      .filter(({ session }) => session === smoke.probe);
    expect(calls.map(({ action, resource, allowed }) => [action, resource, allowed])).toEqual([
      ['s3:PutObject', `arn:aws:s3:::${smoke.bucket}/mine`, true],
      ['s3:GetObject', `arn:aws:s3:::${smoke.bucket}/mine`, false],
    ]);
  });
});

describe('a deployed app', () => {
  test('was given its config by context', async () => {
    const { Stacks } = await new CloudFormationClient(smoke.cloud.clientConfig()).send(new DescribeStacksCommand({ StackName: 'Smoke' }));

    expect(Stacks?.[0]?.Description).toBe(`config is ${process.cwd()}/given.json`);
  });

  test('has the bucket settings that the emulator’s CloudFormation drops', async () => {
    const s3 = new S3Client(smoke.cloud.clientConfig());
    const bucket = { Bucket: smoke.bucket };

    const encryption = await s3.send(new GetBucketEncryptionCommand(bucket));
    const lock = await s3.send(new GetObjectLockConfigurationCommand(bucket));
    const lifecycle = await s3.send(new GetBucketLifecycleConfigurationCommand(bucket));

    expect(encryption.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm).toBe('AES256');
    expect(lock.ObjectLockConfiguration?.Rule?.DefaultRetention).toEqual({ Mode: 'GOVERNANCE', Days: 1 });
    expect(lifecycle.Rules).toMatchObject([
      { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 }, NoncurrentVersionExpiration: { NoncurrentDays: 30 } },
    ]);
  });

  test('has its reserved concurrency', async () => {
    const lambda = new LambdaClient(smoke.cloud.clientConfig());

    const { ReservedConcurrentExecutions } = await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName: smoke.probe }));
    const answers = await Promise.allSettled([1, 2].map(() => smoke.cloud.invoke(smoke.probe, { sleepMs: 500 })));

    expect(ReservedConcurrentExecutions).toBe(1);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('has the policy of its secret, which denies even what a role allows', async () => {
    const policy = await smoke.aws('secretsmanager', 'get-resource-policy', '--secret-id', smoke.secret);

    expect(JSON.stringify(policy)).toContain('secretsmanager:DeleteSecret');
  });

  test('can be deployed again', async () => {
    const app = 'npx tsx test/integration/local-cloud/app/app.ts';

    const { outputs } = await smoke.cloud.deployApp({ app, configPath: 'given.json' });

    expect(outputs['Smoke']?.['BucketName']).toBe(smoke.bucket);
  });
});
