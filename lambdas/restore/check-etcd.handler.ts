import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { S3Client } from '@aws-sdk/client-s3';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv } from '../aws/environment';
import { restoreNotes } from '../aws/s3-restore-notes';
import { readEtcdClientSecret } from '../aws/secrets';
import { openTelemetry } from '../aws/telemetry';
import { Env } from '../contract/env';
import { openEtcd } from '../etcd/client/etcd-reader';
import { openSurgeon } from '../etcd/client/etcd-surgeon';
import { readyzOf } from '../kubernetes/readyz';
import type { CheckedEtcd } from './check-etcd';
import { CheckEtcdEvent, checkEtcd, endpointsOf } from './check-etcd';

const cluster = requireEnv(Env.clusterName);
const secrets = new SecretsManagerClient(BRISK);
const files = restoreNotes(new S3Client(BRISK), requireEnv(Env.stateBucket), cluster);
const telemetry = openTelemetry(cluster, 'check-etcd');

/** Members that have no leader yet accept connections and answer nothing: better asked often than waited for. */
const CALL_MS = 1_500;

export async function handler(event: unknown): Promise<CheckedEtcd> {
  const request = parseEvent(CheckEtcdEvent, event);
  const secret = await readEtcdClientSecret(secrets, requireEnv(Env.etcdClientSecret));
  const endpoints = endpointsOf(request);
  const etcd = openEtcd(endpoints, secret, CALL_MS);
  const surgeon = openSurgeon(endpoints, secret);
  const apiUrl = process.env[Env.apiUrl];
  const askApi = apiUrl === undefined ? undefined : () => readyzOf(apiUrl);
  try {
    return await checkEtcd({ etcd, surgeon, readPlan: (id) => files.read(id, 'plan.json'), askApi, telemetry }, request);
  } finally {
    etcd.close();
    surgeon.close();
  }
}
