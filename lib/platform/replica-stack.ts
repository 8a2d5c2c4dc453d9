import { CfnOutput, Fn, Stack, Tags } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { ClusterConfig } from '../config/schema';
import { clusterKey } from './cluster-key';
import type { EncryptedBucket } from './replication';
import { StateBucket } from './state-bucket';

const Output = { bucketName: 'ReplicaBucketName', keyArn: 'ReplicaKeyArn' } as const;

/**
 * The copy of one cluster's snapshots in another region: a bucket like the one at home and a key of its own, and nothing that runs.
 *
 * Its name begins otherwise than those of clusters, so that no cluster can have it too.
 */
export class ReplicaStack extends Stack {
  constructor(scope: Construct, { name: clusterName, account, terminationProtection, tags }: ClusterConfig, region: string) {
    super(scope, `LifeboatReplica-${clusterName}`, {
      description: `kube-lifeboat: the copy of the snapshots of ${clusterName} in another region`,
      env: { account, region },
      terminationProtection,
      tags,
    });
    for (const [key, value] of Object.entries({ ...tags, 'lifeboat/cluster': clusterName })) Tags.of(this).add(key, value);

    const encryptionKey = clusterKey(this, 'Key', { clusterName, protects: 'the copy of the snapshots' });
    const state = new StateBucket(this, 'State', { clusterName, encryptionKey });
    state.refuseOtherWriters();
    new CfnOutput(this, Output.bucketName, { value: state.bucket.bucketName });
    new CfnOutput(this, Output.keyArn, { value: encryptionKey.keyArn });
  }

  /**
   * Bucket and key as a stack of another region names them, and is deployed after this one.
   *
   * CloudFormation reads the outputs when it deploys (Fn::GetStackOutput), so that both keep the names that it gives them: a fixed name
   * could be taken by anyone on earth, and of a key only an alias can be fixed, which no policy takes for the key.
   */
  seenFrom(stack: Stack): EncryptedBucket {
    stack.addStackDependency(this);
    const output = (name: string) => Fn.getStackOutput(this.stackName, name, this.region);
    return {
      bucket: Bucket.fromBucketAttributes(stack, 'ReplicaBucket', { bucketName: output(Output.bucketName), region: this.region }),
      encryptionKey: Key.fromKeyArn(stack, 'ReplicaKey', output(Output.keyArn)),
    };
  }
}
