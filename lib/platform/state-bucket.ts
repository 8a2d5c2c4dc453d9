import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { BucketProps } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import {
  RESTORE_TAG,
  adoptionKey,
  exchangeKey,
  apiRecordKey,
  clusterPrefix,
  inventoryKey,
  ledgerKey,
  lockKey,
  manifestKey,
  pkiGenerationsKey,
  pruneStateKey,
  repairKey,
  restoreKey,
  restoresPrefix,
  snapshotKey,
  snapshotsPrefix,
} from '../../lambdas/contract/s3-keys';
import type { RestoreFile } from '../../lambdas/contract/s3-keys';
import { acknowledgeWildcard } from './acknowledge';
import type { LifeboatFunction } from './lifeboat-function';
import { Replication } from './replication';
import type { EncryptedBucket } from './replication';

export interface StateBucketProps {
  /** Name of the cluster whose state it holds; every grant ends at this cluster's prefix. */
  readonly clusterName: string;

  /** The key that encrypts every object. */
  readonly encryptionKey: IKey;

  /**
   * How long a version that was overwritten or deleted can still be fetched back.
   *
   * @default Duration.days(30)
   */
  readonly noncurrentVersionExpiration?: Duration;

  /**
   * How long access logs are kept.
   *
   * @default Duration.days(365)
   */
  readonly accessLogExpiration?: Duration;

  /**
   * The bucket in another region that S3 copies snapshots and ledger to.
   *
   * @default - no copy
   */
  readonly replica?: EncryptedBucket;
}

/** What holds for the bucket and for the bucket of its access logs alike. */
const PRIVATE: BucketProps = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  removalPolicy: RemovalPolicy.RETAIN,
};

/**
 * Snapshots and locks of one cluster.
 *
 * Its grants are per subject and give the narrowest rights together with the environment variable that names the bucket.
 *
 * ## Limitations
 *
 * Object Lock is enabled without a default retention: the writer of an object decides how long it is locked.
 */
export class StateBucket extends Construct {
  readonly bucket: Bucket;
  readonly encryptionKey: IKey;
  private readonly clusterName: string;

  constructor(scope: Construct, id: string, props: StateBucketProps) {
    const { noncurrentVersionExpiration = Duration.days(30), accessLogExpiration = Duration.days(365) } = props;
    if (noncurrentVersionExpiration.toDays() < 1) {
      throw new RangeError(`noncurrentVersionExpiration is ${noncurrentVersionExpiration.toHumanString()}, give at least 1 day`);
    }
    super(scope, id);
    this.clusterName = props.clusterName;
    this.encryptionKey = props.encryptionKey;

    const accessLogs = new Bucket(this, 'AccessLogs', {
      ...PRIVATE,
      // S3's own key: the log delivery service would need rights on ours, and the logs hold names only.
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ id: 'expire', expiration: accessLogExpiration, abortIncompleteMultipartUploadAfter: Duration.days(1) }],
    });
    const replication = props.replica && new Replication(this, 'Replication', { clusterName: props.clusterName, target: props.replica });
    this.bucket = new Bucket(this, 'Bucket', {
      ...PRIVATE,
      encryption: BucketEncryption.KMS,
      encryptionKey: props.encryptionKey,
      bucketKeyEnabled: true,
      versioned: true,
      objectLockEnabled: true,
      serverAccessLogsBucket: accessLogs,
      serverAccessLogsPrefix: 'state/',
      lifecycleRules: [
        { id: 'abort-uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
        { id: 'expire-versions', noncurrentVersionExpiration, expiredObjectDeleteMarker: true },
        {
          id: 'expire-restored-files',
          prefix: restoresPrefix(props.clusterName),
          tagFilters: { [RESTORE_TAG.key]: RESTORE_TAG.value },
          // Longer than anybody works at one restore. The snapshot that it was made of stays, so nothing is kept behind it.
          expiration: Duration.days(7),
          noncurrentVersionExpiration: Duration.days(1),
        },
      ],
      replicationRole: replication?.role,
      replicationRules: replication?.rules,
    });
    replication?.grantFrom(this);
  }

  /**
   * Makes S3's replication the only writer: whoever else may write or hide objects by their own policies is refused here, and nobody
   * lifts a lock or destroys a version. Replication asks for actions of its own (s3:ReplicateObject, s3:ReplicateDelete), the lifecycle for none.
   */
  refuseOtherWriters(): void {
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['s3:PutObject', 's3:DeleteObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention'],
        resources: [this.bucket.arnForObjects('*')],
      }),
    );
  }

  /** Lets a function write snapshots in parts and lock them, read back what S3 holds, and list and abort uploads. */
  grantSnapshots(handler: LifeboatFunction): void {
    const objects = this.bucket.arnForObjects(`${snapshotsPrefix(this.clusterName)}*`);
    const actions = ['s3:PutObject', 's3:PutObjectRetention', 's3:GetObject', 's3:AbortMultipartUpload'];
    this.grant(handler, actions, objects);
    // Uploads can only be listed for a bucket as a whole: S3 knows no condition on their prefix.
    handler.addToRolePolicy(new PolicyStatement({ actions: ['s3:ListBucketMultipartUploads'], resources: [this.bucket.bucketArn] }));
    this.acknowledgeIds(handler, objects);
  }

  /**
   * Lets a function read manifests, delete under the prefix of the snapshots, and keep its own memory in one object.
   *
   * Deleting sets a delete marker: without s3:DeleteObjectVersion the function can hide a snapshot and never destroy one, and
   * without s3:BypassGovernanceRetention nobody whom this stack makes can lift a lock.
   */
  grantPrune(handler: LifeboatFunction): void {
    const objects = this.bucket.arnForObjects(`${snapshotsPrefix(this.clusterName)}*`);
    this.grantManifests(handler);
    handler.addToRolePolicy(new PolicyStatement({ actions: ['s3:DeleteObject'], resources: [objects] }));
    this.grant(handler, ['s3:GetObject', 's3:PutObject'], this.bucket.arnForObjects(pruneStateKey(this.clusterName)));
    this.acknowledgeIds(handler, objects);
  }

  /** Lets a function list what lies under the cluster's prefix and read manifests, and nothing that a snapshot holds. */
  grantManifests(handler: LifeboatFunction): void {
    const manifests = this.bucket.arnForObjects(manifestKey(this.clusterName, '*'));
    this.grant(handler, ['s3:GetObject'], manifests);
    this.acknowledgeIds(handler, manifests);
  }

  /** Lets a function read stored snapshots and write the plain files of restores, which it tags so that the lifecycle knows them. */
  grantMaterialize(handler: LifeboatFunction): void {
    const plain = this.bucket.arnForObjects(restoreKey(this.clusterName, '*', 'snapshot.db'));
    this.grantStoredSnapshots(handler);
    this.grant(handler, ['s3:GetObject', 's3:PutObject', 's3:PutObjectTagging', 's3:AbortMultipartUpload'], plain);
    const prefix = restoresPrefix(this.clusterName);
    acknowledgeWildcard(handler, plain, `A restore is named when it is begun; the wildcard ends at ${prefix} and this one file.`);
  }

  /** Lets a function write into manifests how drills went, locked as they were. */
  grantDrillStamp(handler: LifeboatFunction): void {
    this.grantManifests(handler);
    this.grant(handler, ['s3:PutObject', 's3:PutObjectRetention'], this.bucket.arnForObjects(manifestKey(this.clusterName, '*')));
  }

  /** Lets a function read stored snapshots and write what it found into their manifests, locked as they were. */
  grantDrill(handler: LifeboatFunction): void {
    this.grantStoredSnapshots(handler);
    this.grantDrillStamp(handler);
  }

  /** Lets a function read manifests and what they list. */
  private grantStoredSnapshots(handler: LifeboatFunction): void {
    const objects = this.bucket.arnForObjects(snapshotKey(this.clusterName, '*'));
    this.grantManifests(handler);
    this.grant(handler, ['s3:GetObject'], objects);
    this.acknowledgeIds(handler, objects);
  }

  /** Lets a function read and write the ledger. One that also rebuilds it needs the manifests too. */
  grantLedger(handler: LifeboatFunction): void {
    this.grant(handler, ['s3:GetObject', 's3:PutObject'], this.bucket.arnForObjects(ledgerKey(this.clusterName)));
  }

  /** Lets a function read the ledger and nothing more. */
  grantReadLedger(handler: LifeboatFunction): void {
    this.grant(handler, ['s3:GetObject'], this.bucket.arnForObjects(ledgerKey(this.clusterName)));
  }

  /** Lets a function read and write some of the small files that restores leave. */
  grantRestoreFiles(
    handler: LifeboatFunction,
    files: { readonly read?: readonly RestoreFile[]; readonly write?: readonly RestoreFile[] },
  ): void {
    for (const [action, names] of [
      ['s3:GetObject', files.read ?? []],
      ['s3:PutObject', files.write ?? []],
    ] as const) {
      for (const name of names) {
        const objects = this.bucket.arnForObjects(restoreKey(this.clusterName, '*', name));
        this.grant(handler, [action], objects);
        acknowledgeWildcard(
          handler,
          objects,
          `Restores are named when they are started; the wildcard is between ${restoresPrefix(this.clusterName)} and ${name}.`,
        );
      }
    }
  }

  /** Lets a function write what adoptions found and did. */
  grantAdoptions(handler: LifeboatFunction): void {
    const reports = this.bucket.arnForObjects(adoptionKey(this.clusterName, '*'));
    this.grant(handler, ['s3:PutObject'], reports);
    acknowledgeWildcard(handler, reports, 'Adoptions are named when they are started; the wildcard ends at their own folder.');
  }

  /** Lets a function write what repairs of certificates did. */
  grantRepairs(handler: LifeboatFunction): void {
    const reports = this.bucket.arnForObjects(repairKey(this.clusterName, '*'));
    this.grant(handler, ['s3:PutObject'], reports);
    acknowledgeWildcard(handler, reports, 'Repairs are named when they are started; the wildcard ends at their own folder.');
  }

  /** Lets a function write what exchanges of authorities did. */
  grantExchanges(handler: LifeboatFunction): void {
    const reports = this.bucket.arnForObjects(exchangeKey(this.clusterName, '*'));
    this.grant(handler, ['s3:PutObject'], reports);
    acknowledgeWildcard(handler, reports, 'Exchanges are named when they are started; the wildcard ends at their own folder.');
  }

  /** Lets a function write what the last look at the certificates found. */
  grantInventory(handler: LifeboatFunction): void {
    this.grant(handler, ['s3:PutObject'], this.bucket.arnForObjects(inventoryKey(this.clusterName)));
  }

  /** Lets a function note by which generations of its PKI the cluster lives. */
  grantNoteGenerations(handler: LifeboatFunction): void {
    this.grant(handler, ['s3:GetObject', 's3:PutObject'], this.bucket.arnForObjects(pkiGenerationsKey(this.clusterName)));
  }

  /** Lets a function read by which generations the cluster lives, and no secret that holds their keys. */
  grantReadGenerations(handler: LifeboatFunction): void {
    this.grant(handler, ['s3:GetObject'], this.bucket.arnForObjects(pkiGenerationsKey(this.clusterName)));
  }

  /** Lets a function take and release one named lock; a lock is released by writing it, never by deleting it. */
  grantLock(handler: LifeboatFunction, name: string): void {
    this.grant(handler, ['s3:GetObject', 's3:PutObject'], this.bucket.arnForObjects(lockKey(this.clusterName, name)));
  }

  /** Lets a function see who holds a lock, and not take it. */
  grantReadLock(handler: LifeboatFunction, name: string): void {
    this.grant(handler, ['s3:GetObject'], this.bucket.arnForObjects(lockKey(this.clusterName, name)));
  }

  /** Lets a function read and write what is remembered of the API's record. */
  grantApiRecord(handler: LifeboatFunction): void {
    this.grant(handler, ['s3:GetObject', 's3:PutObject'], this.bucket.arnForObjects(apiRecordKey(this.clusterName)));
  }

  private acknowledgeIds(handler: LifeboatFunction, wildcard: string): void {
    const prefix = snapshotsPrefix(this.clusterName);
    acknowledgeWildcard(handler, wildcard, `The ids of snapshots are made at run time; the wildcard ends at ${prefix}.`);
  }

  private grant(handler: LifeboatFunction, actions: string[], objects: string): void {
    handler.setEnvironment(Env.stateBucket, this.bucket.bucketName);
    handler.addToRolePolicy(new PolicyStatement({ actions, resources: [objects] }));
    const reads = actions.includes('s3:GetObject');
    // S3 asks for this right with the key of the object as prefix when an object that is read is missing: with it 404, without it 403.
    if (reads)
      handler.addToRolePolicy(
        new PolicyStatement({
          actions: ['s3:ListBucket'],
          resources: [this.bucket.bucketArn],
          conditions: { StringLike: { 's3:prefix': `${clusterPrefix(this.clusterName)}*` } },
        }),
      );
    handler.addToRolePolicy(
      new PolicyStatement({
        // Whoever uploads in parts reads, too: S3 decrypts the parts when it puts them together.
        actions: [...(reads ? ['kms:Decrypt'] : []), ...(actions.includes('s3:PutObject') ? ['kms:GenerateDataKey'] : [])],
        resources: [this.encryptionKey.keyArn],
        conditions: {
          StringEquals: {
            'kms:ViaService': `s3.${Stack.of(this).region}.${Stack.of(this).urlSuffix}`,
            // With a bucket key the context is the bucket, not the object.
            'kms:EncryptionContext:aws:s3:arn': this.bucket.bucketArn,
          },
        },
      }),
    );
  }
}
