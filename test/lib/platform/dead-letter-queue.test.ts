import { arnOf, inVpc, only, resourcePolicyOf, templateOf } from '../synth';

const template = templateOf(inVpc());
const [queueId, queue] = only(template, 'AWS::SQS::Queue');

test('is encrypted by SQS and keeps what failed for 14 days', () => {
  expect(queue.Properties).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 24 * 60 * 60 });
});

test('takes nothing that does not come over TLS', () => {
  expect(resourcePolicyOf(template, 'AWS::SQS::QueuePolicy', '')).toEqual([
    {
      Effect: 'Deny',
      Principal: { AWS: '*' },
      Action: 'sqs:*',
      Resource: arnOf(queueId),
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
  ]);
});
