import { S3Client } from '@aws-sdk/client-s3';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv } from '../aws/environment';
import { restoreNotes } from '../aws/s3-restore-notes';
import { openTopic } from '../aws/sns';
import { openTelemetry } from '../aws/telemetry';
import { Env } from '../contract/env';
import { TellReplacementEvent, askReplacement, reportReplacement } from './tell-replacement';

const cluster = requireEnv(Env.clusterName);
const files = restoreNotes(new S3Client(BRISK), requireEnv(Env.stateBucket), cluster);
const topic = process.env[Env.alarmTopic];
const tell = topic === undefined ? undefined : openTopic(topic);
const write = (restoreId: string, file: 'approval.txt' | 'report.json', text: string) => files.write(restoreId, file, text);
const edges = { cluster, write, tell, telemetry: openTelemetry(cluster, 'tell-replacement'), now: () => new Date() };

export async function handler(event: unknown): Promise<object> {
  const asked = parseEvent(TellReplacementEvent, event);
  return asked.do === 'ask' ? askReplacement(edges, asked) : reportReplacement(edges, asked);
}
