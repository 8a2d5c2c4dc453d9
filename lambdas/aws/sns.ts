import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { BRISK } from './brisk';

/** SNS takes a subject of at most 100 ASCII characters: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const MOST_SUBJECT = 100;

/** A message to the people who read the topic. @throws the error of SNS */
export function openTopic(topicArn: string): (subject: string, message: string) => Promise<void> {
  const sns = new SNSClient(BRISK);
  return async (subject, message) => {
    await sns.send(new PublishCommand({ TopicArn: topicArn, Subject: subject.slice(0, MOST_SUBJECT), Message: message }));
  };
}
