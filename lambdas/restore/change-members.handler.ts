import { setTimeout as wait } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv } from '../aws/environment';
import { S3SnapshotCatalog } from '../aws/s3-snapshot-catalog';
import { readEtcdClientSecret } from '../aws/secrets';
import { openTelemetry } from '../aws/telemetry';
import { Env } from '../contract/env';
import { RestoreRequest } from '../contract/restore';
import { openEtcd } from '../etcd/client/etcd-reader';
import { openSurgeon } from '../etcd/client/etcd-surgeon';
import { ChangeMembersEvent, changeMembers, endpointsToAsk } from './change-members';
import { chooseSnapshot } from './choose-snapshot';
import { candidatesOf } from './plan-restore';

const cluster = requireEnv(Env.clusterName);
const configured = requireEnv(Env.etcdEndpoints).split(',');
const secrets = new SecretsManagerClient(BRISK);
const catalog = new S3SnapshotCatalog(new S3Client(BRISK), requireEnv(Env.stateBucket), cluster);
const telemetry = openTelemetry(cluster, 'change-members');

async function newestVerified(): Promise<string | undefined> {
  const choice = chooseSnapshot(await candidatesOf({ cluster, catalog }), RestoreRequest.parse({}));
  return 'manifest' in choice ? choice.manifest.id : undefined;
}

export async function handler(event: unknown): Promise<object> {
  const step = parseEvent(ChangeMembersEvent, event);
  const secret = await readEtcdClientSecret(secrets, requireEnv(Env.etcdClientSecret));
  const endpoints = endpointsToAsk(step, configured);
  const etcd = openEtcd(endpoints, secret);
  const surgeon = openSurgeon(endpoints, secret);
  try {
    return await changeMembers({ etcd, surgeon, newestVerified, telemetry, wait }, step);
  } finally {
    etcd.close();
    surgeon.close();
  }
}
