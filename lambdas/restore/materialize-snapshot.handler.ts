import { parseEvent, requireEnv } from '../aws/environment';
import { openS3 } from '../aws/s3-client';
import { S3PlainSnapshots } from '../aws/s3-plain-snapshots';
import { S3SnapshotCatalog } from '../aws/s3-snapshot-catalog';
import { openTelemetry } from '../aws/telemetry';
import { Env } from '../contract/env';
import type { Materialized } from './materialize-snapshot';
import { MaterializeEvent, materializeSnapshot } from './materialize-snapshot';

const cluster = requireEnv(Env.clusterName);
const bucket = requireEnv(Env.stateBucket);
const s3 = openS3();
const plain = new S3PlainSnapshots(s3, bucket, cluster);
const catalog = new S3SnapshotCatalog(s3, bucket, cluster);
const telemetry = openTelemetry(cluster, 'materialize-snapshot');

export async function handler(event: unknown): Promise<Materialized> {
  const edges = {
    cluster,
    readManifest: (id: string) => catalog.readManifest(id),
    readRange: plain.readRange.bind(plain),
    stored: plain.stored.bind(plain),
    store: plain.store.bind(plain),
    url: plain.url.bind(plain),
    telemetry,
  };
  return materializeSnapshot(edges, parseEvent(MaterializeEvent, event));
}
