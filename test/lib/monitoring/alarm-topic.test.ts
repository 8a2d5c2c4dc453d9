import { file } from '../config/configs';
import { arnOf, inVpc, only, resourcePolicyOf, stacksOf, templateOf } from '../synth';
import { alarmsOf } from './alarms';

const byEmail = inVpc({ alarms: { email: 'ops@example.com' } });
const template = templateOf(byEmail);
const [topicId, topic] = only(template, 'AWS::SNS::Topic');
const [keyId, key] = only(template, 'AWS::KMS::Key', 'Alarms');
const ofOwnAlarms = {
  StringEquals: { 'aws:SourceAccount': '111122223333' },
  ArnLike: { 'aws:SourceArn': 'arn:aws:cloudwatch:eu-central-1:111122223333:alarm:Lifeboat-prod/*' },
};

test('whoever the config names gets a mail of each alarm', () => {
  expect(only(template, 'AWS::SNS::Subscription')[1].Properties).toEqual({
    Protocol: 'email',
    Endpoint: 'ops@example.com',
    TopicArn: { Ref: topicId },
  });
  for (const { AlarmActions, OKActions } of Object.values(alarmsOf(template)))
    expect([AlarmActions, OKActions]).toEqual([[{ Ref: topicId }], [{ Ref: topicId }]]);
});

test('the topic takes what the alarms of this cluster publish, over TLS, and nothing else', () => {
  expect(resourcePolicyOf(template, 'AWS::SNS::TopicPolicy', '')).toEqual([
    {
      Sid: 'AllowPublishThroughSSLOnly',
      Effect: 'Deny',
      Principal: '*',
      Action: 'sns:Publish',
      Resource: { Ref: topicId },
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
    {
      Sid: 'AlarmsOfThisCluster',
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Action: 'sns:Publish',
      Resource: { Ref: topicId },
      Condition: ofOwnAlarms,
    },
  ]);
});

test('its key is one that CloudWatch may use for these alarms, and goes with the stack', () => {
  const policy = resourcePolicyOf(template, 'AWS::KMS::Key', 'Alarms', 'KeyPolicy');

  expect(topic.Properties.KmsMasterKeyId).toEqual(arnOf(keyId));
  expect(policy).toContainEqual({
    Effect: 'Allow',
    Principal: { Service: 'cloudwatch.amazonaws.com' },
    Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
    Resource: '*',
    Condition: ofOwnAlarms,
  });
  expect(key.Properties.EnableKeyRotation).toBe(true);
  expect(key.DeletionPolicy).toBe('Delete');
});

test('cdk-nag finds nothing in it', () => {
  expect(() => stacksOf(file(byEmail)).app.synth()).not.toThrow();
});

test('a topic that exists already is taken as it is', () => {
  templateOf(inVpc({ alarms: { topicArn: 'arn:aws:sns:eu-central-1:111122223333:ops' } })).resourceCountIs('AWS::SNS::Topic', 0);
});
