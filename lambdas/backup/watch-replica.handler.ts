import { requireEnv } from '../aws/environment';
import { openS3 } from '../aws/s3-client';
import { S3SnapshotCatalog } from '../aws/s3-snapshot-catalog';
import { openTelemetry } from '../aws/telemetry';
import { Env } from '../contract/env';
import { watchReplica } from './watch-replica';
import type { ReplicaReport } from './compare-replica';

const cluster = requireEnv(Env.clusterName);
const telemetry = openTelemetry(cluster, 'watch-replica');
const here = new S3SnapshotCatalog(openS3(), requireEnv(Env.stateBucket), cluster);
const there = new S3SnapshotCatalog(openS3(requireEnv(Env.replicaRegion)), requireEnv(Env.replicaBucket), cluster);

export async function handler(): Promise<ReplicaReport> {
  try {
    return await watchReplica({ here, there, telemetry, now: () => new Date() }, cluster);
  } finally {
    telemetry.flush();
  }
}
