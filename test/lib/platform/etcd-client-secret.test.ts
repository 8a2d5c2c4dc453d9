import { inVpc, only, resourcePolicyOf, templateOf } from '../synth';

const template = templateOf(inVpc());
const [secretId, secret] = only(template, 'AWS::SecretsManager::Secret');

test('has the name that the operator is told to put the certificate under', () => {
  expect(secret.Properties.Name).toBe('lifeboat/prod/etcd-client');
});

test('has no value, neither in the template nor a generated one', () => {
  expect(secret.Properties).not.toHaveProperty('SecretString');
  expect(secret.Properties).not.toHaveProperty('GenerateSecretString');
});

test('outlives the stack', () => {
  expect([secret.DeletionPolicy, secret.UpdateReplacePolicy]).toEqual(['Retain', 'Retain']);
});

test('is closed to other accounts, whatever anyone adds later', () => {
  const [, policy] = only(template, 'AWS::SecretsManager::ResourcePolicy');

  expect(policy.Properties).toMatchObject({ SecretId: { Ref: secretId }, BlockPublicPolicy: true });
  expect(resourcePolicyOf(template, 'AWS::SecretsManager::ResourcePolicy', '', 'ResourcePolicy')).toEqual([
    {
      Effect: 'Deny',
      Principal: { AWS: '*' },
      Action: 'secretsmanager:*',
      Resource: '*',
      Condition: { StringNotEquals: { 'aws:PrincipalAccount': '111122223333' } },
    },
  ]);
});
