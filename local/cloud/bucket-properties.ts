import type {
  LifecycleRule,
  ObjectLockConfiguration,
  LifecycleRuleFilter,
  ServerSideEncryptionConfiguration,
  BucketLifecycleConfiguration,
  OwnershipControls,
  ReplicationConfiguration,
} from '@aws-sdk/client-s3';
import { z } from 'zod';

// CloudFormation and the S3 API say the same things in different words.

const Encryption = z.object({
  ServerSideEncryptionConfiguration: z.array(
    z.object({
      BucketKeyEnabled: z.boolean().optional(),
      ServerSideEncryptionByDefault: z.object({
        SSEAlgorithm: z.enum(['AES256', 'aws:kms', 'aws:kms:dsse']),
        KMSMasterKeyID: z.string().optional(),
      }),
    }),
  ),
});

export function bucketEncryption(value: unknown): ServerSideEncryptionConfiguration {
  const { ServerSideEncryptionConfiguration: rules } = Encryption.parse(value);
  return {
    Rules: rules.map(({ BucketKeyEnabled, ServerSideEncryptionByDefault }) => ({
      BucketKeyEnabled,
      ApplyServerSideEncryptionByDefault: ServerSideEncryptionByDefault,
    })),
  };
}

const days = z.coerce.number().int().positive();

const ObjectLock = z.object({
  ObjectLockEnabled: z.literal('Enabled').default('Enabled'),
  Rule: z
    .object({
      DefaultRetention: z.object({ Mode: z.enum(['GOVERNANCE', 'COMPLIANCE']), Days: days.optional(), Years: days.optional() }),
    })
    .optional(),
});

export const objectLock = (value: unknown): ObjectLockConfiguration => ObjectLock.parse(value);

const Lifecycle = z.object({
  Rules: z.array(
    z.object({
      Id: z.string().optional(),
      Prefix: z.string().optional(),
      TagFilters: z.array(z.object({ Key: z.string(), Value: z.string() })).optional(),
      Status: z.enum(['Enabled', 'Disabled']),
      AbortIncompleteMultipartUpload: z.object({ DaysAfterInitiation: days }).optional(),
      ExpirationInDays: days.optional(),
      ExpiredObjectDeleteMarker: z.boolean().optional(),
      NoncurrentVersionExpiration: z
        .object({ NoncurrentDays: days, NewerNoncurrentVersions: z.coerce.number().int().optional() })
        .optional(),
    }),
  ),
});
type CloudFormationRule = z.infer<typeof Lifecycle>['Rules'][number];

function lifecycleRule(rule: CloudFormationRule): LifecycleRule {
  const Prefix = rule.Prefix ?? '';
  // Without its tags a rule would be one for everything under its prefix.
  const filter: LifecycleRuleFilter = rule.TagFilters === undefined ? { Prefix } : { And: { Prefix, Tags: rule.TagFilters } };
  const expires = rule.ExpirationInDays !== undefined || rule.ExpiredObjectDeleteMarker !== undefined;
  return {
    ID: rule.Id,
    Status: rule.Status,
    Filter: filter,
    ...(rule.AbortIncompleteMultipartUpload && { AbortIncompleteMultipartUpload: rule.AbortIncompleteMultipartUpload }),
    ...(rule.NoncurrentVersionExpiration && { NoncurrentVersionExpiration: rule.NoncurrentVersionExpiration }),
    ...(expires && { Expiration: { Days: rule.ExpirationInDays, ExpiredObjectDeleteMarker: rule.ExpiredObjectDeleteMarker } }),
  };
}

export const bucketLifecycle = (value: unknown): BucketLifecycleConfiguration => ({
  Rules: Lifecycle.parse(value).Rules.map(lifecycleRule),
});

const Ownership = z.object({
  Rules: z.array(z.object({ ObjectOwnership: z.enum(['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter']) })),
});

export const bucketOwnership = (value: unknown): OwnershipControls => Ownership.parse(value);

const state = z.object({ Status: z.enum(['Enabled', 'Disabled']) });
const minutes = z.object({ Minutes: z.coerce.number().int().positive() });

const Replication = z.object({
  Role: z.string(),
  Rules: z.array(
    z.object({
      Id: z.string(),
      Status: z.enum(['Enabled', 'Disabled']),
      Priority: z.coerce.number().int(),
      Filter: z.object({ Prefix: z.string() }),
      DeleteMarkerReplication: state,
      SourceSelectionCriteria: z.object({ SseKmsEncryptedObjects: state }).optional(),
      Destination: z.object({
        Bucket: z.string(),
        EncryptionConfiguration: z.object({ ReplicaKmsKeyID: z.string() }).optional(),
        ReplicationTime: state.extend({ Time: minutes }).optional(),
        Metrics: state.extend({ EventThreshold: minutes.optional() }).optional(),
      }),
    }),
  ),
});

/** The role is named, not found: the emulator copies in its own right. */
export function bucketReplication(value: unknown): ReplicationConfiguration {
  const { Role, Rules } = Replication.parse(value);
  return { Role, Rules: Rules.map(({ Id, ...rule }) => ({ ID: Id, ...rule })) };
}
