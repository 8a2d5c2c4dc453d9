import { CloudFormationClient, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { LambdaClient, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import {
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { PutResourcePolicyCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { bucketEncryption, bucketLifecycle, bucketOwnership, objectLock } from './bucket-properties';
import { clientConfig } from './clients';
import { resolveIntrinsics } from './intrinsics';
import type { Leftover } from './template';
import { isRecord } from './template';

interface Edges {
  readonly s3: S3Client;
  readonly lambda: LambdaClient;
  readonly secrets: SecretsManagerClient;
}

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
  'AWS::Lambda::Function ReservedConcurrentExecutions': ({ lambda }, FunctionName, value) =>
    lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: Number(value) })),
};

/** One SDK call per refused type. */
const RESOURCES: Readonly<Record<string, (edges: Edges, properties: Readonly<Record<string, unknown>>) => Promise<unknown>>> = {
  // A public policy is refused by AWS where the template says so; the emulator would take it.
  'AWS::SecretsManager::ResourcePolicy': ({ secrets }, { SecretId, ResourcePolicy }) =>
    secrets.send(new PutResourcePolicyCommand({ SecretId: String(SecretId), ResourcePolicy: JSON.stringify(ResourcePolicy) })),
};

/** The names that the resources of a deployed stack got, by logical id. */
export async function physicalIds(endpoint: string, stackName: string): Promise<ReadonlyMap<string, string>> {
  const client = new CloudFormationClient(clientConfig(endpoint));
  try {
    const { StackResources = [] } = await client.send(new DescribeStackResourcesCommand({ StackName: stackName }));
    return new Map(StackResources.map(({ LogicalResourceId = '', PhysicalResourceId = '' }) => [LogicalResourceId, PhysicalResourceId]));
  } finally {
    client.destroy();
  }
}

async function make(edges: Edges, leftover: Leftover, ids: ReadonlyMap<string, string>): Promise<boolean> {
  if (leftover.kind === 'resource') {
    const properties = resolveIntrinsics(leftover.properties, ids);
    const apply = RESOURCES[leftover.type];
    if (apply === undefined || !isRecord(properties)) return false;
    await apply(edges, properties);
    return true;
  }
  const apply = PROPERTIES[`${leftover.type} ${leftover.property}`];
  const physicalId = ids.get(leftover.logicalId);
  if (apply === undefined || physicalId === undefined) return false;
  await apply(edges, physicalId, resolveIntrinsics(leftover.value, ids));
  return true;
}

/**
 * Makes what the emulator's CloudFormation left out of one deployed stack, by ordinary SDK calls. Safe to repeat.
 *
 * @returns what nothing here knows how to make: it has no effect in the local cloud
 */
export async function reconcile(endpoint: string, stackName: string, leftovers: readonly Leftover[]): Promise<Leftover[]> {
  if (leftovers.length === 0) return [];
  const ids = await physicalIds(endpoint, stackName);
  const config = clientConfig(endpoint);
  const edges: Edges = { s3: new S3Client(config), lambda: new LambdaClient(config), secrets: new SecretsManagerClient(config) };
  const unmade: Leftover[] = [];
  try {
    for (const leftover of leftovers) if (!(await make(edges, leftover, ids))) unmade.push(leftover);
  } finally {
    for (const client of [edges.s3, edges.lambda, edges.secrets]) client.destroy();
  }
  return unmade;
}
