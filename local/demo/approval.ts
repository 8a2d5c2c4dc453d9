import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { GetObjectCommand, NoSuchKey } from '@aws-sdk/client-s3';
import { RestoreReport } from '../../lambdas/contract/restore';
import { restoreKey } from '../../lambdas/contract/s3-keys';
import type { RestoreFile } from '../../lambdas/contract/s3-keys';
import { waitUntil } from '../child-process';
import type { Execution, LocalCloud } from '../cloud';
import { awsEnvironment } from '../cloud/clients';
import type { Deployment } from '../deployment';

const run = promisify(execFile);
const ASKED_WITHIN_MS = 180_000;

async function fileOf(
  { s3, bucket, cluster }: Deployment,
  { name }: Pick<Execution, 'name'>,
  file: RestoreFile,
): Promise<string | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: restoreKey(cluster, name, file) }));
    return await Body?.transformToString();
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

/** Waits until the execution asks; what it asks, as a person reads it. @throws with how the execution ended when it never asks */
export async function questionOf(lifeboat: Deployment, execution: Execution, withinMs = ASKED_WITHIN_MS): Promise<string> {
  let question: string | undefined;
  await waitUntil('somebody is asked to approve', withinMs, async () => {
    question = await fileOf(lifeboat, execution, 'approval.txt');
    if (question === undefined && (await execution.hasEnded())) throw new Error(`it ended: ${JSON.stringify(await execution.wait())}`);
    return question !== undefined;
  });
  return question ?? '';
}

/** Runs the command of the message as it stands there, as somebody does who pastes it. */
export async function approveAsPrinted({ endpoint, folder }: LocalCloud, question: string): Promise<void> {
  const command = question.split('\n').find((line) => line.startsWith('aws stepfunctions send-task-success'));
  if (command === undefined) throw new Error(`the message names no command that approves:\n${question}`);
  await run('/bin/bash', ['-c', command], { env: awsEnvironment(endpoint, folder) });
}

export async function reportOf(lifeboat: Deployment, execution: Pick<Execution, 'name'>): Promise<RestoreReport> {
  return RestoreReport.parse(JSON.parse((await fileOf(lifeboat, execution, 'report.json')) ?? '{}'));
}
