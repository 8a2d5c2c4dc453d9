import { arnOf, inVpc, only, templateOf } from '../synth';

const KEY = 'AWS::KMS::Key';
const KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef';

describe('the key of the stack', () => {
  const template = templateOf(inVpc());
  const [keyId, { Properties, DeletionPolicy, UpdateReplacePolicy }] = only(template, KEY);

  test('rotates, and cannot be lost in less than 30 days', () => {
    expect(Properties).toMatchObject({ EnableKeyRotation: true, PendingWindowInDays: 30 });
  });

  test('outlives the stack', () => {
    expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(['Retain', 'Retain']);
  });

  test('leaves it to IAM of this account who may use it, and names nobody else', () => {
    const { Statement } = Properties.KeyPolicy as { Statement: { Principal: unknown; Effect: string }[] };

    expect(Statement[0]).toEqual({ Effect: 'Allow', Action: 'kms:*', Resource: '*', Principal: { AWS: root() } });
    expect(Statement.map(({ Principal, Effect }) => [Effect, Principal])).toEqual(Statement.map(() => ['Allow', { AWS: root() }]));
  });

  test('is the only one, for objects and secrets alike', () => {
    template.resourceCountIs(KEY, 1);
    expect(only(template, 'AWS::SecretsManager::Secret')[1].Properties.KmsKeyId).toEqual(arnOf(keyId));
  });
});

test('a key that exists already is used in every place instead', () => {
  const template = templateOf(inVpc({ kms: { keyArn: KEY_ARN } }));

  template.resourceCountIs(KEY, 0);
  expect(only(template, 'AWS::SecretsManager::Secret')[1].Properties.KmsKeyId).toBe(KEY_ARN);
  expect(JSON.stringify(only(template, 'AWS::S3::Bucket', 'StateBucket')[1].Properties.BucketEncryption)).toContain(
    `"KMSMasterKeyID":"${KEY_ARN}"`,
  );
});

const root = () => 'arn:aws:iam::111122223333:root';
