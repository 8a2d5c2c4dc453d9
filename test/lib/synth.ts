// Synthesizes as bin/app.ts does, with the flags of cdk.json, without bundling and in memory.
import { App, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import cdk from '../../cdk.json';
import { LifeboatStack } from '../../lib/platform/lifeboat-stack';
import { cluster, file, network, parse } from './config/configs';
import type { Json } from './config/configs';

export const testApp = (): App => new App({ context: { ...cdk.context, 'aws:cdk:bundling-stacks': [] } });

/** The stacks of a config file, in an app that cdk-nag checks. */
export function stacksOf(config: Json): { app: App; stacks: LifeboatStack[] } {
  const app = testApp();
  const stacks = parse(config).clusters.map((each) => new LifeboatStack(app, each));
  acknowledgeWarnings(app);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { app, stacks };
}

/** Warnings are printed for people at every synthesis; the tests of the stack and of warnings.ts show when they come. */
export function acknowledgeWarnings(scope: IConstruct): void {
  for (const id of ['lifeboat:public-nodes', 'lifeboat:unheard-alarms', 'lifeboat:unreachable-members']) {
    Validations.of(scope).acknowledge({ id: `Annotation::${id}`, reason: 'nobody reads the output of tests' });
  }
}

/** A cluster as in production: a known account and region, in a VPC whose endpoints the stack makes. */
export const inVpc = (overrides: Json = {}): Json =>
  cluster({
    account: '111122223333',
    region: 'eu-central-1',
    network: network({ endpoints: { s3: { routeTableIds: ['rtb-0123456789abcdef0'] }, secretsManager: 'create' } }),
    ...overrides,
  });

/** The template of one cluster, without cdk-nag, which costs most of the time of a synthesis. */
export function templateOf(one: Json): Template {
  const [parsed] = parse(file(one)).clusters;
  const stack = new LifeboatStack(testApp(), parsed!);
  acknowledgeWarnings(stack);
  return Template.fromStack(stack);
}

/** The templates of a cluster with a copy in eu-west-1: of its own stack, and of the copy's. */
export function replicatedTemplates(overrides: Json = {}): { readonly home: Template; readonly away: Template } {
  const [parsed] = parse(file(inVpc({ backup: { replica: { region: 'eu-west-1' } }, ...overrides }))).clusters;
  const stack = new LifeboatStack(testApp(), parsed!);
  for (const each of [stack, stack.replica!]) acknowledgeWarnings(each);
  return { home: Template.fromStack(stack), away: Template.fromStack(stack.replica!) };
}

/** A reference to an output of the stack of the copy. */
export const awayOutput = (OutputName: string) => ({
  'Fn::GetStackOutput': { StackName: 'LifeboatReplica-prod', Region: 'eu-west-1', OutputName },
});

interface Resource {
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** The only resource of a type whose logical id begins so. */
export function only(template: Template, type: string, prefix = ''): readonly [id: string, resource: Resource] {
  const found = Object.entries(template.findResources(type) as Record<string, Resource>).filter(([id]) => id.startsWith(prefix));
  if (found.length !== 1) throw new Error(`${found.length} resources of ${type} begin with "${prefix}", expected 1`);
  return found[0]!;
}

export interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

/** Every statement of the policies that are attached to a role, in the order of the template. */
export function statementsOf(template: Template, rolePrefix: string): Statement[] {
  const [roleId, role] = only(template, 'AWS::IAM::Role', rolePrefix);
  if ('ManagedPolicyArns' in role.Properties || 'Policies' in role.Properties) throw new Error(`${roleId} has policies of other kinds`);
  const policies = template.findResources('AWS::IAM::Policy', { Properties: { Roles: [{ Ref: roleId }] } });
  return Object.values(policies).flatMap((policy) => (policy as PolicyResource).Properties.PolicyDocument.Statement);
}

interface PolicyResource {
  readonly Properties: { readonly PolicyDocument: { readonly Statement: Statement[] } };
}

/** The statements of a resource policy: of a bucket, a queue, a secret. */
export function resourcePolicyOf(template: Template, type: string, prefix: string, property = 'PolicyDocument'): Statement[] {
  const [, { Properties }] = only(template, type, prefix);
  return (Properties[property] as { Statement: Statement[] }).Statement;
}

export const arnOf = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });
export const within = (logicalId: string, path: string) => ({ 'Fn::Join': ['', [arnOf(logicalId), `/${path}`]] });

/** Refuses everything that does not come over TLS, or over TLS before 1.2. */
export const tlsOnly = (bucketId: string) => {
  const deny = { Effect: 'Deny', Principal: { AWS: '*' }, Action: 's3:*', Resource: [arnOf(bucketId), within(bucketId, '*')] };
  return [
    { ...deny, Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    { ...deny, Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } },
  ];
};

export { Match };

/** A service's own name in its region, whatever the partition's domain is. */
const service = (name: string) => ({ 'Fn::Join': ['', [`${name}.eu-central-1.`, { Ref: 'AWS::URLSuffix' }]] });

type KeyAction = 'kms:Decrypt' | 'kms:GenerateDataKey';

/** What every role has that reads objects of the cluster prod: a listing of its prefix, and the key for this bucket alone. */
export const reachesObjects = (
  bucketId: string,
  keyId: string,
  keyActions: KeyAction | readonly KeyAction[] = ['kms:Decrypt', 'kms:GenerateDataKey'],
) => [
  {
    Effect: 'Allow',
    Action: 's3:ListBucket',
    Resource: arnOf(bucketId),
    Condition: { StringLike: { 's3:prefix': 'clusters/prod/*' } },
  },
  {
    Effect: 'Allow',
    Action: keyActions,
    Resource: arnOf(keyId),
    Condition: { StringEquals: { 'kms:ViaService': service('s3'), 'kms:EncryptionContext:aws:s3:arn': arnOf(bucketId) } },
  },
];

/** What every role has that reads the etcd secret, and the key for this secret alone. */
export const readsSecret = (secretId: string, keyId: string) => [
  { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: { Ref: secretId } },
  {
    Effect: 'Allow',
    Action: 'kms:Decrypt',
    Resource: arnOf(keyId),
    Condition: { StringEquals: { 'kms:ViaService': service('secretsmanager'), 'kms:EncryptionContext:SecretARN': { Ref: secretId } } },
  },
];
