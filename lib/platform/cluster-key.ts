import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

export interface ClusterKeyProps {
  /** Name of the cluster whose state the key protects. */
  readonly clusterName: string;

  /**
   * ARN of a key that exists already; its own policy must let IAM of this account decide, as a new key's does.
   *
   * @default - a key of the stack's own, which rotates every year
   */
  readonly keyArn?: string;

  /**
   * What it encrypts, in a few words.
   *
   * @default 'snapshots and secrets'
   */
  readonly protects?: string;
}

/** The one key of a cluster: its snapshots and the secrets by which its members are reached. It outlives the stack as they do. */
export function clusterKey(
  scope: Construct,
  id: string,
  { clusterName, keyArn, protects = 'snapshots and secrets' }: ClusterKeyProps,
): IKey {
  if (keyArn !== undefined) return Key.fromKeyArn(scope, id, keyArn);
  return new Key(scope, id, {
    description: `kube-lifeboat ${clusterName}: ${protects}`,
    enableKeyRotation: true,
    // The longest that KMS offers: a key deleted by mistake takes every snapshot with it.
    pendingWindow: Duration.days(30),
    removalPolicy: RemovalPolicy.RETAIN,
  });
}
