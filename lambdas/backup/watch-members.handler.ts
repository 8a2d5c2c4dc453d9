import { setTimeout as wait } from 'node:timers/promises';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { BRISK } from '../aws/brisk';
import { requireEnv } from '../aws/environment';
import { openLedger } from '../aws/s3-ledger';
import { readEtcdClientSecret } from '../aws/secrets';
import { openTelemetry } from '../aws/telemetry';
import { Env } from '../contract/env';
import { openEtcd } from '../etcd/client/etcd-reader';
import type { WatchResult } from './tell-watch';
import { watchMembers } from './watch-members';

/** Time kept back to ask the members, which takes 15 s at worst, and to tell the metrics. */
const LEAVE_MS = 20_000;

const cluster = requireEnv(Env.clusterName);
const endpoints = requireEnv(Env.etcdEndpoints).split(',');
const secrets = new SecretsManagerClient(BRISK);
const telemetry = openTelemetry(cluster, 'watch-members');
const ledger = openLedger(requireEnv(Env.stateBucket), cluster, telemetry, wait);
const reach = async () => openEtcd(endpoints, await readEtcdClientSecret(secrets, requireEnv(Env.etcdClientSecret)));
const told = new Set<string>();

export async function handler(_event: unknown, context: { getRemainingTimeInMillis(): number }): Promise<WatchResult> {
  const signal = AbortSignal.timeout(Math.max(1, context.getRemainingTimeInMillis() - LEAVE_MS));
  try {
    return await watchMembers({ reach, ledger, telemetry, now: () => new Date(), told }, endpoints, signal);
  } finally {
    telemetry.flush();
  }
}
