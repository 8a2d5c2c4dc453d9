import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { alarmPrefix } from './lifeboat-alarm';

export interface AlarmTopicProps {
  /** Name of the cluster whose alarms it carries. */
  readonly clusterName: string;

  /** Who gets them by e-mail, after confirming the message that SNS sends first. */
  readonly email: string;
}

/**
 * A topic of the stack's own, which the alarms of one cluster may publish to and nobody else.
 *
 * Its key is its own too: CloudWatch must be named in the key's policy, which rules out the key that AWS manages for SNS and a key
 * that exists already; and an alarm about a cluster's key that was disabled has to get out.
 */
export class AlarmTopic extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { clusterName, email }: AlarmTopicProps) {
    super(scope, id);
    const { account, partition, region } = Stack.of(this);
    const cloudWatch = {
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      conditions: {
        StringEquals: { 'aws:SourceAccount': account },
        ArnLike: { 'aws:SourceArn': `arn:${partition}:cloudwatch:${region}:${account}:alarm:${alarmPrefix(clusterName)}*` },
      },
    };
    const key = new Key(this, 'Key', {
      description: `kube-lifeboat ${clusterName}: alarms on their way to people`,
      enableKeyRotation: true,
      // It encrypts nothing that lasts.
      pendingWindow: Duration.days(7),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    key.addToResourcePolicy(new PolicyStatement({ ...cloudWatch, actions: ['kms:Decrypt', 'kms:GenerateDataKey*'], resources: ['*'] }));
    this.topic = new Topic(this, 'Topic', { displayName: `kube-lifeboat ${clusterName}`, masterKey: key, enforceSSL: true });
    // A topic with a policy loses the one by which everybody in the account may publish.
    this.topic.addToResourcePolicy(
      new PolicyStatement({ ...cloudWatch, sid: 'AlarmsOfThisCluster', actions: ['sns:Publish'], resources: [this.topic.topicArn] }),
    );
    this.topic.addSubscription(new EmailSubscription(email));
  }
}

/** Who the alarms of a cluster tell, as the config says it; undefined when it names nobody. */
export function alarmReceiver(
  scope: Construct,
  id: string,
  clusterName: string,
  receiver: { readonly email?: string; readonly topicArn?: string } | undefined,
): ITopic | undefined {
  if (receiver?.topicArn !== undefined) return Topic.fromTopicArn(scope, id, receiver.topicArn);
  return receiver?.email === undefined ? undefined : new AlarmTopic(scope, id, { clusterName, email: receiver.email }).topic;
}
