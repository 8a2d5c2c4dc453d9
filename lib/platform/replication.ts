import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { ReplicationTimeValue } from 'aws-cdk-lib/aws-s3';
import type { IBucket, ReplicationRule } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { ledgerKey, snapshotsPrefix } from '../../lambdas/contract/s3-keys';
import { acknowledgeWildcard } from './acknowledge';

/** A bucket and the key that encrypts its objects. */
export interface EncryptedBucket {
  readonly bucket: IBucket;
  readonly encryptionKey: IKey;
}

export interface ReplicationProps {
  /** Name of the cluster whose state is copied. */
  readonly clusterName: string;

  /** Where it is copied to: a bucket in another region, with versions and Object Lock. */
  readonly target: EncryptedBucket;
}

/** The names of the rules, by which CloudWatch knows their metrics. */
export const ReplicationRuleId = { snapshots: 'snapshots', ledger: 'ledger' } as const;

/**
 * What S3 copies to the bucket of another region, and the role by which it does so.
 *
 * Locks of runs and the memory of pruning stay at home: copied, a lock would only keep whoever restores over there waiting.
 */
export class Replication extends Construct {
  readonly role: Role;
  readonly rules: ReplicationRule[];
  private readonly clusterName: string;
  private readonly target: EncryptedBucket;

  constructor(scope: Construct, id: string, { clusterName, target }: ReplicationProps) {
    super(scope, id);
    this.clusterName = clusterName;
    this.target = target;
    this.role = new Role(this, 'Role', {
      description: `kube-lifeboat ${clusterName}: S3 copies snapshots to another region`,
      assumedBy: new ServicePrincipal('s3.amazonaws.com'),
    });
    const rule = (name: string, prefix: string, priority: number): ReplicationRule => ({
      id: name,
      priority,
      filter: { prefix },
      destination: target.bucket,
      kmsKey: target.encryptionKey,
      sseKmsEncryptedObjects: true,
      // What retention hides here is hidden there: docs/adr/0007.
      deleteMarkerReplication: true,
      replicationTimeControl: ReplicationTimeValue.FIFTEEN_MINUTES,
      metrics: ReplicationTimeValue.FIFTEEN_MINUTES,
    });
    this.rules = [
      rule(ReplicationRuleId.snapshots, snapshotsPrefix(clusterName), 1),
      rule(ReplicationRuleId.ledger, ledgerKey(clusterName), 2),
    ];
  }

  /**
   * Lets S3 read what the rules name, and write its copies: https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
   * with what Object Lock asks for beside it. CDK's own grant covers all objects of both buckets, and misses the locks.
   */
  grantFrom(source: EncryptedBucket): void {
    const copied = (bucket: IBucket) =>
      [`${snapshotsPrefix(this.clusterName)}*`, ledgerKey(this.clusterName)].map((key) => bucket.arnForObjects(key));
    const [from, to] = [copied(source.bucket), copied(this.target.bucket)];
    const allow = (actions: string[], resources: string[], conditions?: Record<string, unknown>) =>
      this.role.addToPolicy(new PolicyStatement({ actions, resources, conditions }));

    allow(['s3:GetReplicationConfiguration', 's3:ListBucket'], [source.bucket.bucketArn]);
    allow(
      [
        's3:GetObjectLegalHold',
        's3:GetObjectRetention',
        's3:GetObjectVersionAcl',
        's3:GetObjectVersionForReplication',
        's3:GetObjectVersionTagging',
      ],
      from,
    );
    allow(['s3:ReplicateDelete', 's3:ReplicateObject', 's3:ReplicateTags'], to);
    allow(['kms:Decrypt'], [source.encryptionKey.keyArn], throughS3(source.bucket));
    // Encrypt is what that page names; GenerateDataKey is what S3 asks of any writer for whom it makes a bucket key.
    allow(['kms:Encrypt', 'kms:GenerateDataKey'], [this.target.encryptionKey.keyArn], throughS3(this.target.bucket));

    for (const wildcard of [from, to].flat().filter((arn) => arn.endsWith('*'))) {
      const reason = `The ids of snapshots are made at run time; the wildcard ends at ${snapshotsPrefix(this.clusterName)}.`;
      acknowledgeWildcard(this.role, wildcard, reason);
    }
  }
}

/**
 * The key is used by S3 for this bucket and nothing else. With a bucket key the context is the bucket, not the object
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html): a condition on objects would refuse every copy.
 */
function throughS3(bucket: IBucket): Record<string, unknown> {
  const { urlSuffix } = Stack.of(bucket);
  return {
    StringEquals: { 'kms:ViaService': `s3.${bucket.env.region}.${urlSuffix}`, 'kms:EncryptionContext:aws:s3:arn': bucket.bucketArn },
  };
}
