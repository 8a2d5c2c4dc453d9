import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { parseEvent, requireEnv, requireJson, requirePositiveInteger } from '../aws/environment';
import { openS3 } from '../aws/s3-client';
import { erasPlace } from '../aws/s3-pki-generations';
import { openLedger } from '../aws/s3-ledger';
import { S3Lock } from '../aws/s3-lock';
import { S3SnapshotStore } from '../aws/s3-snapshot-store';
import { readEtcdClientSecret } from '../aws/secrets';
import { openTelemetry } from '../aws/telemetry';
import { readEras } from '../authorities/note-eras';
import { Env } from '../contract/env';
import { TakeSnapshotEvent } from '../contract/events';
import { maxSnapshotBytes } from '../contract/limits';
import { LockPolicy } from '../contract/retention';
import type { EtcdReader } from '../etcd/cluster-view';
import { openEtcd } from '../etcd/client/etcd-reader';
import { spoolDisk } from '../etcd/snapshot/spool-disk';
import { noteSnapshot } from './keep-ledger';
import { takeSnapshot } from './take-snapshot';
import { tellFailure } from './tell-failure';
import type { TakeSnapshotResult } from './take-snapshot';

/** Lambda's own limit; a lock older than this was left by a run that was killed. */
const MAX_RUN_MS = 15 * 60 * 1000;
/** Time kept back to abort an upload and to release the lock before the function is stopped. */
const LEAVE_MS = 20_000;

const cluster = requireEnv(Env.clusterName);
const bucket = requireEnv(Env.stateBucket);
const s3 = openS3();
const secrets = new SecretsManagerClient({});
const telemetry = openTelemetry(cluster, 'take-snapshot');
const now = () => new Date();
const lock = new S3Lock(s3, { bucket, cluster, name: 'backup', ttlMs: MAX_RUN_MS }, now);
const store = new S3SnapshotStore(s3, bucket, cluster);
const noteInLedger = noteSnapshot.bind(undefined, openLedger(bucket, cluster, telemetry, wait));
const pkiGenerations = readEras.bind(undefined, erasPlace(s3, bucket, cluster, telemetry));
const disk = spoolDisk(join(tmpdir(), 'lifeboat', cluster));

export async function handler(
  event: unknown,
  context: { readonly awsRequestId: string; getRemainingTimeInMillis(): number },
): Promise<TakeSnapshotResult> {
  const signal = AbortSignal.timeout(Math.max(1, context.getRemainingTimeInMillis() - LEAVE_MS));
  let etcd: EtcdReader | undefined;
  try {
    const { settings, request, secret } = await tellFailure(telemetry, () => prepare(event));
    etcd = openEtcd(requireEnv(Env.etcdEndpoints).split(','), secret);
    const edges = { etcd, store, lock, disk, noteInLedger, pkiGenerations, telemetry, now, randomBytes, wait };
    return await takeSnapshot(edges, settings, request, { requestId: context.awsRequestId, signal });
  } finally {
    etcd?.close();
    telemetry.flush();
  }
}

async function prepare(event: unknown) {
  const maxDbBytes = maxSnapshotBytes(requirePositiveInteger(Env.maxDbSizeGiB));
  const settings = { cluster, maxDbBytes, lock: requireJson(Env.lockPolicy, LockPolicy) };
  const request = parseEvent(TakeSnapshotEvent, event);
  return { settings, request, secret: await readEtcdClientSecret(secrets, requireEnv(Env.etcdClientSecret)) };
}
