import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseEvent, requireEnv, requirePositiveInteger } from '../aws/environment';
import { openS3 } from '../aws/s3-client';
import { S3ManifestDocuments } from '../aws/s3-manifest-documents';
import { S3SnapshotCatalog } from '../aws/s3-snapshot-catalog';
import { S3SnapshotSource } from '../aws/s3-snapshot-source';
import { openTelemetry } from '../aws/telemetry';
import { Env } from '../contract/env';
import { maxSnapshotBytes } from '../contract/limits';
import { DrillEvent } from '../contract/restore-events';
import { spoolDisk } from '../etcd/snapshot/spool-disk';
import { checkStored } from './check-stored';
import type { DrillResult } from './check-stored';

/** Time kept back to say that there was too little of it. */
const LEAVE_MS = 20_000;

const cluster = requireEnv(Env.clusterName);
const bucket = requireEnv(Env.stateBucket);
const s3 = openS3();
const telemetry = openTelemetry(cluster, 'drill-in-function');
const now = () => new Date();
const catalog = new S3SnapshotCatalog(s3, bucket, cluster);
const source = new S3SnapshotSource(s3, bucket, cluster);
const manifests = new S3ManifestDocuments(s3, bucket, cluster);
const disk = spoolDisk(join(tmpdir(), 'lifeboat', cluster));

export async function handler(
  event: unknown,
  context: { readonly awsRequestId: string; getRemainingTimeInMillis(): number },
): Promise<DrillResult> {
  const settings = { cluster, maxDbBytes: maxSnapshotBytes(requirePositiveInteger(Env.maxDbSizeGiB)) };
  const signal = AbortSignal.timeout(Math.max(1, context.getRemainingTimeInMillis() - LEAVE_MS));
  const edges = { catalog, source, manifests, disk, telemetry, wait, now, signal };
  try {
    return await checkStored(edges, settings, parseEvent(DrillEvent, event), context.awsRequestId);
  } finally {
    telemetry.flush();
  }
}
