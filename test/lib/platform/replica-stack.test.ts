import { arnOf, only, replicatedTemplates, resourcePolicyOf, templateOf, inVpc, tlsOnly, within } from '../synth';

const BUCKET = 'AWS::S3::Bucket';
const { away } = replicatedTemplates({ kms: { keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef' } });
const [bucketId, bucket] = only(away, BUCKET, 'StateBucket');
const [keyId, key] = only(away, 'AWS::KMS::Key');

test('nothing runs there: a bucket, its logs, a key and what guards them', () => {
  const types = Object.values(away.toJSON().Resources as Record<string, { Type: string }>).map(({ Type }) => Type);

  expect(types.sort()).toEqual(['AWS::KMS::Key', BUCKET, BUCKET, 'AWS::S3::BucketPolicy', 'AWS::S3::BucketPolicy']);
});

test('the bucket is like the one at home: closed, versioned, lockable, logged, and with the same lifecycle', () => {
  const home = templateOf(inVpc());
  const properties = ({ Properties: { BucketEncryption: _key, LoggingConfiguration: _logs, Tags: _tags, ...same } } = bucket) => same;

  expect(bucket.Properties).toMatchObject({ ObjectLockEnabled: true, VersioningConfiguration: { Status: 'Enabled' } });
  expect(properties()).toEqual(properties(only(home, BUCKET, 'StateBucket')[1]));
  expect(bucket.Properties.LoggingConfiguration).toEqual({
    DestinationBucketName: { Ref: only(away, BUCKET, 'StateAccessLogs')[0] },
    LogFilePrefix: 'state/',
  });
});

test('objects are encrypted by a key of its own, even where the cluster uses one that exists already', () => {
  expect(key.Properties).toMatchObject({ EnableKeyRotation: true, PendingWindowInDays: 30 });
  expect(JSON.stringify(key.Properties.Description)).toContain('the copy of the snapshots');
  expect(bucket.Properties.BucketEncryption).toEqual({
    ServerSideEncryptionConfiguration: [
      { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arnOf(keyId) } },
    ],
  });
});

test('bucket and key outlive the stack', () => {
  for (const { DeletionPolicy, UpdateReplacePolicy } of [bucket, key]) {
    expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(['Retain', 'Retain']);
  }
});

test('nobody writes, hides or lifts a lock but S3 itself, and only TLS gets in', () => {
  expect(resourcePolicyOf(away, 'AWS::S3::BucketPolicy', 'StateBucket')).toEqual([
    ...tlsOnly(bucketId),
    {
      Effect: 'Deny',
      Principal: { AWS: '*' },
      Action: ['s3:BypassGovernanceRetention', 's3:DeleteObject', 's3:DeleteObjectVersion', 's3:PutObject'],
      Resource: within(bucketId, '*'),
    },
  ]);
});

test('its name and the ARN of its key are told to whoever copies', () => {
  expect(away.findOutputs('*')).toEqual({
    ReplicaBucketName: { Value: { Ref: bucketId } },
    ReplicaKeyArn: { Value: arnOf(keyId) },
  });
});
