import { requireEnv, requireJson } from '../aws/environment';
import { openS3 } from '../aws/s3-client';
import { S3Lock } from '../aws/s3-lock';
import { S3SnapshotCatalog } from '../aws/s3-snapshot-catalog';
import { openTelemetry } from '../aws/telemetry';
import { Env } from '../contract/env';
import { RetentionPolicy } from '../contract/retention';
import { pruneSnapshots } from './prune-snapshots';
import type { PruneResult } from './prune-snapshots';

/** The function's own limit; a lock older than this was left by a run that was killed. */
const MAX_RUN_MS = 5 * 60 * 1000;

const cluster = requireEnv(Env.clusterName);
const bucket = requireEnv(Env.stateBucket);
const s3 = openS3();
const telemetry = openTelemetry(cluster, 'prune-snapshots');
const now = () => new Date();
const lock = new S3Lock(s3, { bucket, cluster, name: 'prune', ttlMs: MAX_RUN_MS }, now);
const catalog = new S3SnapshotCatalog(s3, bucket, cluster);

export async function handler(_event: unknown, context: { readonly awsRequestId: string }): Promise<PruneResult> {
  const policy = requireJson(Env.retentionPolicy, RetentionPolicy);
  try {
    return await pruneSnapshots({ catalog, lock, telemetry, now }, { cluster, policy }, context.awsRequestId);
  } finally {
    telemetry.flush();
  }
}
