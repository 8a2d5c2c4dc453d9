import { randomUUID } from 'node:crypto';
import { AddPermissionCommand, LambdaClient, RemovePermissionCommand } from '@aws-sdk/client-lambda';
import {
  CancelRotateSecretCommand,
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { waitUntil } from '../../../local/child-process';
import type { SmokeCloud } from './smoke-cloud';
import { startSmokeCloud } from './smoke-cloud';

// The contract of Secrets Manager's rotation, with a function that does nothing but say what it was asked (app/probe).
jest.setTimeout(120_000);

let smoke: SmokeCloud;
let secrets: SecretsManagerClient;
let lambda: LambdaClient;
beforeAll(async () => {
  smoke = await startSmokeCloud();
  secrets = new SecretsManagerClient(smoke.cloud.clientConfig());
  lambda = new LambdaClient(smoke.cloud.clientConfig());
  await allow();
});
afterAll(async () => {
  secrets.destroy();
  lambda.destroy();
  await smoke.cloud.stop();
});

const made = async (SecretString?: string): Promise<string> => {
  const Name = `rotated/${randomUUID()}`;
  await secrets.send(new CreateSecretCommand({ Name, SecretString }));
  return Name;
};
const rotate = (SecretId: string, RotateImmediately = true) =>
  secrets.send(
    new RotateSecretCommand({
      SecretId,
      RotationLambdaARN: smoke.probeArn,
      RotationRules: { AutomaticallyAfterDays: 30 },
      RotateImmediately,
    }),
  );
const StatementId = 'rotation';
const allow = () =>
  lambda.send(
    new AddPermissionCommand({
      FunctionName: smoke.probe,
      StatementId,
      Action: 'lambda:InvokeFunction',
      Principal: 'secretsmanager.amazonaws.com',
    }),
  );
const labels = async (SecretId: string) => (await secrets.send(new DescribeSecretCommand({ SecretId }))).VersionIdsToStages ?? {};
/** The steps that the function was asked for one version, in their order. */
const asked = async (token: string): Promise<string[]> => {
  const lines = await smoke.cloud.logs(smoke.probe);
  return lines
    .flatMap((line) => [...line.matchAll(/probe (\{.*\})/g)])
    .flatMap(([, json = '{}']) => {
      const { ClientRequestToken, Step } = JSON.parse(json) as { ClientRequestToken?: string; Step?: string };
      return ClientRequestToken === token && Step !== undefined ? [Step] : [];
    });
};

test('a function that does not let Secrets Manager in is told of at once', async () => {
  await lambda.send(new RemovePermissionCommand({ FunctionName: smoke.probe, StatementId }));

  await expect(rotate(await made('old'))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  await allow();
});

test('a version is made without a value, and the function is asked for four steps', async () => {
  const secret = await made('old');

  const { VersionId = '' } = await rotate(secret);

  await waitUntil('the function was asked for all steps', 30_000, async () => (await asked(VersionId)).length >= 4);
  expect((await asked(VersionId)).slice(0, 4)).toEqual(['createSecret', 'setSecret', 'testSecret', 'finishSecret']);
  expect((await labels(secret))[VersionId]).toEqual(['AWSPENDING']);
  const pending = secrets.send(new GetSecretValueCommand({ SecretId: secret, VersionId }));
  await expect(pending).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  expect((await secrets.send(new GetSecretValueCommand({ SecretId: secret }))).SecretString).toBe('old');
});

test('one that did not come to its end is tried again under its own version, and no other begins', async () => {
  const secret = await made('old');
  const { VersionId = '' } = await rotate(secret);

  await expect(rotate(secret)).rejects.toMatchObject({
    name: 'InvalidRequestException',
    message: expect.stringMatching(/previous rotation/) as string,
  });
  expect(Object.keys(await labels(secret))).toContain(VersionId);

  await secrets.send(new CancelRotateSecretCommand({ SecretId: secret }));
  expect((await secrets.send(new DescribeSecretCommand({ SecretId: secret }))).RotationEnabled).toBe(false);
});

test('without rotating at once the function is asked to test alone, for a version that goes again', async () => {
  const secret = await made('old');

  const { VersionId = '' } = await rotate(secret, false);

  await waitUntil('the function was asked', 30_000, async () => (await asked(VersionId)).length > 0);
  await waitUntil('the version is gone', 10_000, async () => !(VersionId in (await labels(secret))));
  expect(await asked(VersionId)).toEqual(['testSecret']);
});

test('a token takes its value once, and the same again', async () => {
  const secret = await made('old');
  const token = randomUUID();
  const put = (SecretString: string) =>
    secrets.send(new PutSecretValueCommand({ SecretId: secret, ClientRequestToken: token, SecretString, VersionStages: ['AWSPENDING'] }));

  await put('new');
  await put('new');

  await expect(put('other')).rejects.toMatchObject({ name: 'ResourceExistsException' });
  expect((await labels(secret))[token]).toEqual(['AWSPENDING']);
});

test('the label of the current version moves, and that of the previous one follows by itself', async () => {
  const secret = await made('old');
  const before = Object.keys(await labels(secret)).join();
  const token = randomUUID();
  await secrets.send(
    new PutSecretValueCommand({ SecretId: secret, ClientRequestToken: token, SecretString: 'new', VersionStages: ['AWSPENDING'] }),
  );

  await secrets.send(
    new UpdateSecretVersionStageCommand({
      SecretId: secret,
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: token,
      RemoveFromVersionId: before,
    }),
  );

  expect(await labels(secret)).toMatchObject({ [before]: ['AWSPREVIOUS'], [token]: expect.arrayContaining(['AWSCURRENT']) as string[] });
});

test('a secret that was made without a value has no version', async () => {
  const secret = await made();

  expect(await labels(secret)).toEqual({});
  await expect(secrets.send(new GetSecretValueCommand({ SecretId: secret }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});
