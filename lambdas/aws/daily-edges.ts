import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { rotateCaName } from '../contract/exchange-policy';
import type { DailyEdges } from '../exchange/daily';
import { BRISK } from './brisk';
import { SecretsManagerPki } from './pki-secrets';
import { S3Lock } from './s3-lock';
import { startExecution } from './start-execution';

/**
 * What the daily look at the authorities does beside what every exchange does.
 *
 * @param functionArn of the function itself: the state machine is beside it
 */
export function dailyEdges(cluster: string, bucket: string, functionArn: string): Pick<DailyEdges, 'accounts' | 'lockedBy' | 'begin'> {
  const [, partition = '', , region = '', account = ''] = functionArn.split(':');
  const machine = `arn:${partition}:states:${region}:${account}:stateMachine:${rotateCaName(cluster)}`;
  const lock = new S3Lock(new S3Client(BRISK), { bucket, cluster, name: 'control-plane', ttlMs: 0 }, () => new Date());
  return {
    accounts: new SecretsManagerPki(new SecretsManagerClient(BRISK), cluster).serviceAccounts,
    lockedBy: () => lock.holder(),
    begin: async (execution, request) => (await startExecution(machine, execution, request)).was === 'started',
  };
}
