import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const Line = z.object({ topic: z.string(), subject: z.string(), message: z.string() });

export interface PublishedMessage {
  /** Empty when it was published without one. */
  readonly subject: string;
  readonly message: string;
}

/** An SNS topic, as somebody sees it who has been subscribed to it from the beginning. */
export interface Topic {
  readonly arn: string;
  /** What was published so far, oldest first. */
  messages(): PublishedMessage[];
}

/** Reads the JSON lines that records.py writes. */
export const topic = (messageLog: string, arn: string): Topic => ({
  arn,
  messages: () =>
    (existsSync(messageLog) ? readFileSync(messageLog, 'utf8') : '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => Line.parse(JSON.parse(line)))
      .filter((line) => line.topic === arn)
      .map(({ subject, message }) => ({ subject, message })),
});
