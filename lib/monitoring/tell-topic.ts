import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Env } from '../../lambdas/contract/env';
import type { LifeboatFunction } from '../platform/lifeboat-function';

/**
 * Lets a function tell the people who read the alarms, and tells it where they are. CDK's own grant would name every kind of data key (`*`).
 *
 * The key of a topic that exists already is not known here: whoever encrypts it lets the role of the function use that key.
 */
export function grantTell(topic: ITopic | undefined, handler: LifeboatFunction): void {
  if (topic === undefined) return;
  handler.setEnvironment(Env.alarmTopic, topic.topicArn);
  handler.addToRolePolicy(new PolicyStatement({ actions: ['sns:Publish'], resources: [topic.topicArn] }));
  if ('masterKey' in topic && topic.masterKey !== undefined)
    handler.addToRolePolicy(new PolicyStatement({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [topic.masterKey.keyArn] }));
}
