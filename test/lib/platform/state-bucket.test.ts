import { Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { StateBucket } from '../../../lib/platform/state-bucket';
import { arnOf, inVpc, only, resourcePolicyOf, templateOf, testApp, tlsOnly, within } from '../synth';

const template = templateOf(inVpc());
const BUCKET = 'AWS::S3::Bucket';
const [bucketId, bucket] = only(template, BUCKET, 'StateBucket');
const [logsId, logs] = only(template, BUCKET, 'StateAccessLogs');

test('there is no other bucket', () => {
  template.resourceCountIs(BUCKET, 2);
});

describe.each([
  ['the state bucket', bucket],
  ['the bucket of its access logs', logs],
])('%s', (_name, { Properties, DeletionPolicy, UpdateReplacePolicy }) => {
  test('is closed to the public', () => {
    expect(Properties.PublicAccessBlockConfiguration).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
  });

  test('knows no ACLs', () => {
    expect(Properties.OwnershipControls).toEqual({ Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] });
    expect(Properties).not.toHaveProperty('AccessControl');
  });

  test('outlives the stack', () => {
    expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(['Retain', 'Retain']);
  });
});

test('objects are encrypted by the key of the cluster, one data key for many', () => {
  const [keyId] = only(template, 'AWS::KMS::Key');

  expect(bucket.Properties.BucketEncryption).toEqual({
    ServerSideEncryptionConfiguration: [
      { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arnOf(keyId) } },
    ],
  });
});

test('versions are kept, and objects can be locked, by whoever writes them', () => {
  expect(bucket.Properties.VersioningConfiguration).toEqual({ Status: 'Enabled' });
  expect(bucket.Properties.ObjectLockEnabled).toBe(true);
  expect(bucket.Properties).not.toHaveProperty('ObjectLockConfiguration');
});

test('uploads that nobody finished go after a day, old versions after 30, and plain files of restores after a week (peer failure 30)', () => {
  expect(bucket.Properties.LifecycleConfiguration).toEqual({
    Rules: [
      { Id: 'abort-uploads', Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
      { Id: 'expire-versions', Status: 'Enabled', NoncurrentVersionExpiration: { NoncurrentDays: 30 }, ExpiredObjectDeleteMarker: true },
      {
        Id: 'expire-restored-files',
        Status: 'Enabled',
        Prefix: 'clusters/prod/restores/',
        TagFilters: [{ Key: 'lifeboat', Value: 'restore' }],
        ExpirationInDays: 7,
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
      },
    ],
  });
});

test('only TLS 1.2 or newer gets in, and nothing else is said about anyone', () => {
  expect(resourcePolicyOf(template, 'AWS::S3::BucketPolicy', 'StateBucket')).toEqual(tlsOnly(bucketId));
});

describe('access logs', () => {
  test('go to a bucket of their own', () => {
    expect(bucket.Properties.LoggingConfiguration).toEqual({ DestinationBucketName: { Ref: logsId }, LogFilePrefix: 'state/' });
  });

  test('are encrypted, and expire after a year', () => {
    expect(logs.Properties.BucketEncryption).toEqual({
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
    });
    expect(logs.Properties.LifecycleConfiguration).toEqual({
      Rules: [{ Id: 'expire', Status: 'Enabled', ExpirationInDays: 365, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }],
    });
  });

  test('are written by the log delivery service for the state bucket alone', () => {
    expect(resourcePolicyOf(template, 'AWS::S3::BucketPolicy', 'StateAccessLogs')).toEqual([
      ...tlsOnly(logsId),
      {
        Effect: 'Allow',
        Principal: { Service: 'logging.s3.amazonaws.com' },
        Action: 's3:PutObject',
        Resource: within(logsId, 'state/*'),
        Condition: { ArnLike: { 'aws:SourceArn': arnOf(bucketId) }, StringEquals: { 'aws:SourceAccount': '111122223333' } },
      },
    ]);
  });
});

describe('asked for other periods', () => {
  const make = (props: { noncurrentVersionExpiration?: Duration; accessLogExpiration?: Duration }) => {
    const stack = new Stack(testApp(), 'Test');
    new StateBucket(stack, 'State', { clusterName: 'a', encryptionKey: new Key(stack, 'Key'), ...props });
    return Template.fromStack(stack);
  };

  test('keeps old versions and logs as long as it is told', () => {
    const other = make({ noncurrentVersionExpiration: Duration.days(90), accessLogExpiration: Duration.days(7) });

    expect(JSON.stringify(only(other, BUCKET, 'StateBucket')[1].Properties.LifecycleConfiguration)).toContain('{"NoncurrentDays":90}');
    expect(JSON.stringify(only(other, BUCKET, 'StateAccessLogs')[1].Properties.LifecycleConfiguration)).toContain('"ExpirationInDays":7');
  });

  test('refuses to drop old versions at once', () => {
    expect(() => make({ noncurrentVersionExpiration: Duration.days(0) })).toThrow(
      'noncurrentVersionExpiration is 0 days, give at least 1 day',
    );
  });
});
