import { randomBytes } from 'node:crypto';
import { CopyObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Manifest } from '../../../lambdas/contract/manifest';
import { manifestKey, newSnapshotId, snapshotKey } from '../../../lambdas/contract/s3-keys';
import type { Deployment } from '../../../local/deployment';

const DAY_MS = 86_400_000;
const FREE = { mode: 'governance', until: '2020-01-01T00:00:00.000Z' } as const;

/** A copy of a real snapshot that claims to be so many days older, and to be locked no more. */
export async function copySnapshot(
  { s3, bucket, cluster }: Deployment,
  real: Manifest,
  daysOld: number,
  overrides: Partial<Manifest> = {},
): Promise<string> {
  const takenAt = new Date(new Date(real.takenAt).getTime() - daysOld * DAY_MS);
  const id = newSnapshotId(takenAt, randomBytes(4));
  const key = snapshotKey(cluster, id);
  await s3.send(new CopyObjectCommand({ Bucket: bucket, Key: key, CopySource: `${bucket}/${real.stored.key}` }));
  const stored = { ...real.stored, key };
  const manifest = {
    ...real,
    lock: FREE,
    revision: Math.max(1, real.revision - Math.ceil(daysOld)),
    ...overrides,
    id,
    takenAt: takenAt.toISOString(),
    stored,
  };
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: manifestKey(cluster, id), Body: JSON.stringify(manifest) }));
  return id;
}
