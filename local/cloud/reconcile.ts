import { CloudFormationClient, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { LambdaClient, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import {
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketReplicationCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { PutResourcePolicyCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateDocumentCommand, SSMClient, UpdateDocumentCommand, UpdateDocumentDefaultVersionCommand } from '@aws-sdk/client-ssm';
import { bucketEncryption, bucketLifecycle, bucketOwnership, bucketReplication, objectLock } from './bucket-properties';
import { clientConfig } from './clients';
import type { ClientConfig } from './clients';
import { resolveIntrinsics } from './intrinsics';
import type { Deployed } from './intrinsics';
import type { Leftover, StackOutputs } from './template';
import { isRecord } from './template';

interface Edges {
  readonly s3: S3Client;
  readonly lambda: LambdaClient;
  readonly secrets: SecretsManagerClient;
  readonly ssm: SSMClient;
}

/** As UpdateMethod: NewVersion: the document if there is none of that name, else its next version, which becomes the default. */
async function makeDocument({ ssm }: Edges, properties: Readonly<Record<string, unknown>>): Promise<void> {
  const [Name, Content] = [String(properties['Name']), JSON.stringify(properties['Content'])];
  try {
    await ssm.send(new CreateDocumentCommand({ Name, Content, DocumentType: 'Command', DocumentFormat: 'JSON' }));
  } catch (error) {
    if (!isNamed(error, 'DocumentAlreadyExists')) throw error;
    const updated = await ssm.send(new UpdateDocumentCommand({ Name, Content, DocumentVersion: '$LATEST' })).catch((problem: unknown) => {
      if (isNamed(problem, 'DuplicateDocumentContent')) return undefined;
      throw problem;
    });
    const DocumentVersion = updated?.DocumentDescription?.DocumentVersion;
    if (DocumentVersion !== undefined) await ssm.send(new UpdateDocumentDefaultVersionCommand({ Name, DocumentVersion }));
  }
}

const isNamed = (error: unknown, name: string): boolean => error instanceof Error && error.name === name;

/** One SDK call per dropped property. */
const PROPERTIES: Readonly<Record<string, (edges: Edges, physicalId: string, value: unknown) => Promise<unknown>>> = {
  'AWS::S3::Bucket BucketEncryption': ({ s3 }, Bucket, value) =>
    s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: bucketEncryption(value) })),
  'AWS::S3::Bucket LifecycleConfiguration': ({ s3 }, Bucket, value) =>
    s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: bucketLifecycle(value) })),
  'AWS::S3::Bucket ObjectLockEnabled': async ({ s3 }, Bucket, value) =>
    String(value) === 'true' &&
    (await s3.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } }))),
  'AWS::S3::Bucket ObjectLockConfiguration': ({ s3 }, Bucket, value) =>
    s3.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: objectLock(value) })),
  'AWS::S3::Bucket OwnershipControls': ({ s3 }, Bucket, value) =>
    s3.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: bucketOwnership(value) })),
  'AWS::S3::Bucket ReplicationConfiguration': ({ s3 }, Bucket, value) =>
    s3.send(new PutBucketReplicationCommand({ Bucket, ReplicationConfiguration: bucketReplication(value) })),
  'AWS::Lambda::Function ReservedConcurrentExecutions': ({ lambda }, FunctionName, value) =>
    lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: Number(value) })),
};

/** One SDK call per refused type. */
const RESOURCES: Readonly<Record<string, (edges: Edges, properties: Readonly<Record<string, unknown>>) => Promise<unknown>>> = {
  // A public policy is refused by AWS where the template says so; the emulator would take it.
  'AWS::SecretsManager::ResourcePolicy': ({ secrets }, { SecretId, ResourcePolicy }) =>
    secrets.send(new PutResourcePolicyCommand({ SecretId: String(SecretId), ResourcePolicy: JSON.stringify(ResourcePolicy) })),
  'AWS::SSM::Document': makeDocument,
};

/** The names that the resources of a deployed stack got, by logical id. */
export async function physicalIds(config: ClientConfig, stackName: string): Promise<ReadonlyMap<string, string>> {
  const client = new CloudFormationClient(config);
  try {
    const { StackResources = [] } = await client.send(new DescribeStackResourcesCommand({ StackName: stackName }));
    return new Map(StackResources.map(({ LogicalResourceId = '', PhysicalResourceId = '' }) => [LogicalResourceId, PhysicalResourceId]));
  } finally {
    client.destroy();
  }
}

async function make(edges: Edges, leftover: Leftover, deployed: Deployed): Promise<boolean> {
  if (leftover.kind === 'resource') {
    const properties = resolveIntrinsics(leftover.properties, deployed);
    const apply = RESOURCES[leftover.type];
    if (apply === undefined || !isRecord(properties)) return false;
    await apply(edges, properties);
    return true;
  }
  const apply = PROPERTIES[`${leftover.type} ${leftover.property}`];
  const physicalId = deployed.physicalIds.get(leftover.logicalId);
  if (apply === undefined || physicalId === undefined) return false;
  await apply(edges, physicalId, resolveIntrinsics(leftover.value, deployed));
  return true;
}

/** Where a stack was deployed, and what it may refer to. */
export interface StackPlace {
  readonly endpoint: string;
  readonly name: string;
  readonly region: string;
  /** Of all stacks that were deployed with it. */
  readonly outputs: StackOutputs;
}

/**
 * Makes what the emulator's CloudFormation left out of one deployed stack, by ordinary SDK calls. Safe to repeat.
 *
 * @returns what nothing here knows how to make: it has no effect in the local cloud
 */
export async function reconcile(stack: StackPlace, leftovers: readonly Leftover[]): Promise<Leftover[]> {
  if (leftovers.length === 0) return [];
  const { endpoint, name, region, outputs } = stack;
  const config = clientConfig(endpoint, region);
  const deployed: Deployed = { region, outputs, physicalIds: await physicalIds(config, name) };
  const edges: Edges = {
    s3: new S3Client(config),
    lambda: new LambdaClient(config),
    secrets: new SecretsManagerClient(config),
    ssm: new SSMClient(config),
  };
  const unmade: Leftover[] = [];
  try {
    for (const leftover of leftovers) if (!(await make(edges, leftover, deployed))) unmade.push(leftover);
  } finally {
    for (const client of Object.values<{ destroy(): void }>({ ...edges })) client.destroy();
  }
  return unmade;
}
