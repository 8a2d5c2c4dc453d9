import { setTimeout as wait } from 'node:timers/promises';
import { parseEvent, requireEnv } from '../aws/environment';
import { openS3 } from '../aws/s3-client';
import { S3RestoreFiles } from '../aws/s3-restore-files';
import { S3SnapshotCatalog } from '../aws/s3-snapshot-catalog';
import { S3SnapshotSource } from '../aws/s3-snapshot-source';
import { openTelemetry } from '../aws/telemetry';
import { Env } from '../contract/env';
import { MaterializeEvent } from '../contract/restore-events';
import { materializeSnapshot } from './materialize-snapshot';
import type { MaterializeResult } from './materialize-snapshot';

/** Time kept back to end an upload before the function is stopped. */
const LEAVE_MS = 20_000;

const cluster = requireEnv(Env.clusterName);
const bucket = requireEnv(Env.stateBucket);
const s3 = openS3();
const telemetry = openTelemetry(cluster, 'materialize-snapshot');
const now = () => new Date();
const catalog = new S3SnapshotCatalog(s3, bucket, cluster);
const source = new S3SnapshotSource(s3, bucket, cluster);
const files = new S3RestoreFiles(s3, bucket, cluster);

export async function handler(event: unknown, context: { getRemainingTimeInMillis(): number }): Promise<MaterializeResult> {
  const signal = AbortSignal.timeout(Math.max(1, context.getRemainingTimeInMillis() - LEAVE_MS));
  return materializeSnapshot({ catalog, source, files, telemetry, wait, now, signal }, cluster, parseEvent(MaterializeEvent, event));
}
