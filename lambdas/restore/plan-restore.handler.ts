import { setTimeout as wait } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv } from '../aws/environment';
import { openLedger } from '../aws/s3-ledger';
import { erasPlace } from '../aws/s3-pki-generations';
import { restoreNotes } from '../aws/s3-restore-notes';
import { readEtcdClientSecret } from '../aws/secrets';
import { openTelemetry } from '../aws/telemetry';
import { readEras } from '../authorities/note-eras';
import { Env } from '../contract/env';
import type { HandedPlan, RestorePlan } from '../contract/restore';
import { openEtcd } from '../etcd/client/etcd-reader';
import { openSurgeon } from '../etcd/client/etcd-surgeon';
import { askLive } from './ask-live';
import { PlanEvent, makePlan } from './plan-restore';

const cluster = requireEnv(Env.clusterName);
const bucket = requireEnv(Env.stateBucket);
const endpoints = requireEnv(Env.etcdEndpoints).split(',');
const secrets = new SecretsManagerClient(BRISK);
const telemetry = openTelemetry(cluster, 'plan-restore');
const ledger = openLedger(bucket, cluster, telemetry, wait);
const s3 = new S3Client(BRISK);
const files = restoreNotes(s3, bucket, cluster);
const eras = readEras.bind(undefined, erasPlace(s3, bucket, cluster, telemetry));

export async function handler(event: unknown): Promise<HandedPlan> {
  const live = async () => {
    const secret = await readEtcdClientSecret(secrets, requireEnv(Env.etcdClientSecret));
    return askLive(openEtcd(endpoints, secret), openSurgeon(endpoints, secret));
  };
  const writePlan = (plan: RestorePlan) => files.write(plan.restoreId, 'plan.json', JSON.stringify(plan, undefined, 1));
  return makePlan({ ledger, live, eras, writePlan, now: () => new Date() }, bucket, parseEvent(PlanEvent, event));
}
