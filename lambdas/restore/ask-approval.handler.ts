import { S3Client } from '@aws-sdk/client-s3';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv } from '../aws/environment';
import { restoreNotes } from '../aws/s3-restore-notes';
import { openTopic } from '../aws/sns';
import { openTelemetry } from '../aws/telemetry';
import { Env } from '../contract/env';
import { ApprovalEvent, askApproval } from './ask-approval';

const cluster = requireEnv(Env.clusterName);
const telemetry = openTelemetry(cluster, 'ask-approval');
const files = restoreNotes(new S3Client(BRISK), requireEnv(Env.stateBucket), cluster);
const topic = process.env[Env.alarmTopic];
const tell = topic === undefined ? undefined : openTopic(topic);

export async function handler(event: unknown): Promise<{ readonly told: boolean }> {
  const request = parseEvent(ApprovalEvent, event);
  const { restoreId } = request;
  const edges = {
    readPlan: () => files.read(restoreId, 'plan.json'),
    write: (text: string) => files.write(restoreId, 'approval.txt', text),
    tell,
    telemetry,
  };
  return askApproval(edges, request);
}
