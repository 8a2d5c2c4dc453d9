import { arnOf, awayOutput, inVpc, only, replicatedTemplates, statementsOf, templateOf, within } from '../synth';

const { home } = replicatedTemplates();
const [bucketId, bucket] = only(home, 'AWS::S3::Bucket', 'StateBucket');
const [keyId] = only(home, 'AWS::KMS::Key');
const [roleId, role] = only(home, 'AWS::IAM::Role', 'StateReplicationRole');

const away = (path = '') => ({
  'Fn::Join': ['', ['arn:aws:s3:::', awayOutput('ReplicaBucketName'), ...(path === '' ? [] : [`/${path}`])]],
});
const throughS3 = (region: string, context: unknown) => ({
  StringEquals: {
    'kms:ViaService': { 'Fn::Join': ['', [`s3.${region}.`, { Ref: 'AWS::URLSuffix' }]] },
    'kms:EncryptionContext:aws:s3:arn': context,
  },
});

interface Rule {
  readonly Id: string;
  readonly Filter: unknown;
  readonly Priority: number;
}
const { Role, Rules } = bucket.Properties.ReplicationConfiguration as { Role: unknown; Rules: Rule[] };

test('snapshots and the ledger are copied; locks and the memory of pruning are not', () => {
  expect(Rules.map(({ Id, Filter, Priority }) => [Id, Filter, Priority])).toEqual([
    ['snapshots', { Prefix: 'clusters/prod/snapshots/' }, 1],
    ['ledger', { Prefix: 'clusters/prod/ledger.json' }, 2],
  ]);
});

test.each(Rules)('the rule $Id copies within 15 minutes, re-encrypts by the key over there and copies delete markers', (rule) => {
  expect(rule).toMatchObject({
    Status: 'Enabled',
    DeleteMarkerReplication: { Status: 'Enabled' },
    SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: 'Enabled' } },
    Destination: {
      Bucket: away(),
      EncryptionConfiguration: { ReplicaKmsKeyID: awayOutput('ReplicaKeyArn') },
      ReplicationTime: { Status: 'Enabled', Time: { Minutes: 15 } },
      Metrics: { Status: 'Enabled', EventThreshold: { Minutes: 15 } },
    },
  });
});

test('S3 may do exactly this, by a role that only S3 takes', () => {
  const keys = (at: (path: string) => unknown) => [at('clusters/prod/ledger.json'), at('clusters/prod/snapshots/*')];

  expect(Role).toEqual(arnOf(roleId));
  expect(role.Properties.AssumeRolePolicyDocument).toMatchObject({
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 's3.amazonaws.com' } }],
  });
  expect(statementsOf(home, 'StateReplicationRole')).toEqual([
    { Effect: 'Allow', Action: ['s3:GetReplicationConfiguration', 's3:ListBucket'], Resource: arnOf(bucketId) },
    {
      Effect: 'Allow',
      Action: [
        's3:GetObjectLegalHold',
        's3:GetObjectRetention',
        's3:GetObjectVersionAcl',
        's3:GetObjectVersionForReplication',
        's3:GetObjectVersionTagging',
      ],
      Resource: keys((path) => within(bucketId, path)),
    },
    { Effect: 'Allow', Action: ['s3:ReplicateDelete', 's3:ReplicateObject', 's3:ReplicateTags'], Resource: keys(away) },
    { Effect: 'Allow', Action: 'kms:Decrypt', Resource: arnOf(keyId), Condition: throughS3('eu-central-1', arnOf(bucketId)) },
    {
      Effect: 'Allow',
      Action: ['kms:Encrypt', 'kms:GenerateDataKey'],
      Resource: awayOutput('ReplicaKeyArn'),
      Condition: throughS3('eu-west-1', away()),
    },
  ]);
});

test('a cluster without a replica copies nothing, and has no role for it', () => {
  const alone = templateOf(inVpc());

  expect(only(alone, 'AWS::S3::Bucket', 'StateBucket')[1].Properties).not.toHaveProperty('ReplicationConfiguration');
  expect(() => only(alone, 'AWS::IAM::Role', 'StateReplicationRole')).toThrow('0 resources');
});
