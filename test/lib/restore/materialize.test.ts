import { arnOf, inVpc, only, reachesObjects, statementsOf, templateOf, within } from '../synth';

const template = templateOf(inVpc());
const [, materialize] = only(template, 'AWS::Lambda::Function', 'MaterializeMaterializeSnapshot');
const [queueId] = only(template, 'AWS::SQS::Queue');
const [bucketId] = only(template, 'AWS::S3::Bucket', 'StateBucket');
const [keyId] = only(template, 'AWS::KMS::Key');

describe('materialize-snapshot', () => {
  test('runs outside the network of the cluster, with more than a processor and no disk to speak of', () => {
    expect(materialize.Properties).toMatchObject({ Timeout: 900, MemorySize: 2048, EphemeralStorage: { Size: 512 } });
    expect(materialize.Properties).not.toHaveProperty('VpcConfig');
  });

  test('may do exactly this: it reads snapshots, and writes and tags the one file of a restore', () => {
    const [logId] = only(template, 'AWS::Logs::LogGroup', 'MaterializeMaterializeSnapshot');

    expect(statementsOf(template, 'MaterializeMaterializeSnapshotRole')).toEqual([
      { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: arnOf(logId) },
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arnOf(queueId) },
      {
        Effect: 'Allow',
        Action: 's3:GetObject',
        Resource: [
          within(bucketId, 'clusters/prod/snapshots/*/manifest.json'),
          within(bucketId, 'clusters/prod/snapshots/*/snapshot.db.zst'),
        ],
      },
      ...reachesObjects(bucketId, keyId),
      {
        Effect: 'Allow',
        Action: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject', 's3:PutObjectTagging'],
        Resource: within(bucketId, 'clusters/prod/restores/*/snapshot.db'),
      },
    ]);
  });

  test('is started by nobody’s clock', () => {
    expect(JSON.stringify(template.findResources('AWS::Scheduler::Schedule'))).not.toContain('Materialize');
  });
});
