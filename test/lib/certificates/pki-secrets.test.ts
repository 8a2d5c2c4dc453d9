import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { PkiSecrets } from '../../../lib/certificates/pki-secrets';
import { simulate } from '../../support/permissions/simulate';

const ACCOUNT = '111122223333';
const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:${ACCOUNT}:secret:lifeboat/prod/pki/${name}-a1b2c3`;

interface Policy {
  readonly Properties: { readonly SecretId: { readonly Ref: string }; readonly ResourcePolicy: unknown };
}

/** The policy of a secret in the template, by the logical id of the secret. */
function policyOf(secret: string): unknown {
  const stack = new Stack(new App(), 'Test', { env: { account: ACCOUNT, region: 'eu-central-1' } });
  new PkiSecrets(stack, 'Pki', { clusterName: 'prod', encryptionKey: new Key(stack, 'Key') });
  const policies = Object.values(Template.fromStack(stack).findResources('AWS::SecretsManager::ResourcePolicy')) as Policy[];
  return policies.find(({ Properties }) => Properties.SecretId.Ref.startsWith(secret))?.Properties.ResourcePolicy;
}

/** What somebody who may read every secret of the account is told, who asks for one version of it. */
async function read(name: string, policy: unknown, version: Readonly<Record<string, string>>): Promise<string> {
  const grants = [{ effect: 'Allow', action: 'secretsmanager:GetSecretValue', resource: '*' }] as const;
  const request = { action: 'secretsmanager:GetSecretValue', resource: arn(name), context: version };
  return (await simulate({ account: ACCOUNT, role: 'administrator', grants }, request, policy)).verdict;
}

describe('the secret by which a node hands its keys over', () => {
  test.each<[string, Record<string, string>, string]>([
    ['the current version', {}, 'allowed'],
    ['the current version by its label', { 'secretsmanager:VersionStage': 'AWSCURRENT' }, 'allowed'],
    ['the version before by its label', { 'secretsmanager:VersionStage': 'AWSPREVIOUS' }, 'denied'],
    ['a version without a label by its id', { 'secretsmanager:VersionId': '0f3c2d9e-1111-2222-3333-444455556666' }, 'denied'],
  ])('lets nobody read but what it holds now: %s', async (_sentence, version, verdict) => {
    const policy = policyOf('Pkihandover');

    expect(policy).toBeDefined();
    expect(await read('hand-over', policy, version)).toBe(verdict);
  });

  test('is the only one: of an authority the version before is the way back', async () => {
    expect(await read('authorities/cluster', policyOf('Pkicluster'), { 'secretsmanager:VersionStage': 'AWSPREVIOUS' })).toBe('allowed');
  });
});
