import { GetObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { Manifest } from '../lambdas/contract/manifest';
import { snapshotIdOfManifestKey, snapshotsPrefix } from '../lambdas/contract/s3-keys';

/** Every listed snapshot of a cluster, oldest first: by manifest only, as every reader of the bucket must. */
export async function listSnapshots(s3: S3Client, bucket: string, cluster: string): Promise<Manifest[]> {
  const found: Manifest[] = [];
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: snapshotsPrefix(cluster) })) {
    for (const { Key = '' } of page.Contents ?? []) {
      if (snapshotIdOfManifestKey(cluster, Key) === undefined) continue;
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      found.push(Manifest.parse(JSON.parse((await Body?.transformToString()) ?? '')));
    }
  }
  return found.sort((a, b) => a.takenAt.localeCompare(b.takenAt));
}
