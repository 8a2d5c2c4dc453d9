import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { waitUntil } from '../local/child-process';
import type { LocalCloud, Topic } from '../local/cloud';

const NAME = 'people-of-e2e';
/** Between the wish and the question lie the starts of three nodes, one after the other. */
const ASKED_WITHIN_MS = 900_000;

/** The topic by which people are told, as an operator has made it. */
export async function makeTopic(cloud: LocalCloud): Promise<Topic> {
  const sns = new SNSClient(cloud.clientConfig());
  try {
    const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: NAME }));
    return cloud.topic(TopicArn);
  } finally {
    sns.destroy();
  }
}

/** Waits until people are asked to approve an exchange. @returns what they are asked, as they read it */
export async function questionAbout(people: Topic, rotation: string): Promise<string> {
  const asked = (): string | undefined =>
    people.messages().find(({ subject, message }) => subject.endsWith('waits for approval') && message.includes(rotation))?.message;
  await waitUntil(`people are asked about ${rotation}`, ASKED_WITHIN_MS, () => Promise.resolve(asked() !== undefined), 500);
  return asked() ?? '';
}
