import { CloudFormationClient, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { LambdaClient, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import {
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { bucketEncryption, bucketLifecycle, objectLock } from './bucket-properties';
import { clientConfig } from './clients';
import { resolveIntrinsics } from './intrinsics';
import type { Leftover } from './template';

interface Edges {
  readonly s3: S3Client;
  readonly lambda: LambdaClient;
}

type Apply = (edges: Edges, physicalId: string, value: unknown) => Promise<unknown>;

/** One SDK call per dropped property. A property without a line here has no effect that a local run could see. */
const APPLY: Readonly<Record<string, Apply>> = {
  'AWS::S3::Bucket BucketEncryption': ({ s3 }, Bucket, value) =>
    s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: bucketEncryption(value) })),
  'AWS::S3::Bucket LifecycleConfiguration': ({ s3 }, Bucket, value) =>
    s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: bucketLifecycle(value) })),
  'AWS::S3::Bucket ObjectLockConfiguration': ({ s3 }, Bucket, value) =>
    s3.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: objectLock(value) })),
  'AWS::Lambda::Function ReservedConcurrentExecutions': ({ lambda }, FunctionName, value) =>
    lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: Number(value) })),
};

async function physicalIds(endpoint: string, stackName: string): Promise<ReadonlyMap<string, string>> {
  const client = new CloudFormationClient(clientConfig(endpoint));
  try {
    const { StackResources = [] } = await client.send(new DescribeStackResourcesCommand({ StackName: stackName }));
    return new Map(StackResources.map(({ LogicalResourceId = '', PhysicalResourceId = '' }) => [LogicalResourceId, PhysicalResourceId]));
  } finally {
    client.destroy();
  }
}

/** Makes what the emulator's CloudFormation dropped from one deployed stack, by ordinary SDK calls. Safe to repeat. */
export async function reconcile(endpoint: string, stackName: string, leftovers: readonly Leftover[]): Promise<void> {
  if (leftovers.length === 0) return;
  const ids = await physicalIds(endpoint, stackName);
  const config = clientConfig(endpoint);
  const edges: Edges = { s3: new S3Client(config), lambda: new LambdaClient(config) };
  try {
    for (const leftover of leftovers) {
      if (leftover.kind === 'resource') continue;
      const apply = APPLY[`${leftover.type} ${leftover.property}`];
      const physicalId = ids.get(leftover.logicalId);
      if (apply !== undefined && physicalId !== undefined) await apply(edges, physicalId, resolveIntrinsics(leftover.value, ids));
    }
  } finally {
    edges.s3.destroy();
    edges.lambda.destroy();
  }
}
