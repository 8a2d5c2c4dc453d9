import { S3Client } from '@aws-sdk/client-s3';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv } from '../aws/environment';
import { S3Lock } from '../aws/s3-lock';
import { Env } from '../contract/env';
import { LOCK_MS, LockEvent, lockControlPlane } from './control-plane-lock';

const s3 = new S3Client(BRISK);
const bucket = requireEnv(Env.stateBucket);
const cluster = requireEnv(Env.clusterName);
const locks = (name: string) => new S3Lock(s3, { bucket, cluster, name, ttlMs: LOCK_MS }, () => new Date());

export async function handler(event: unknown): Promise<{ readonly held: boolean }> {
  return lockControlPlane(locks, parseEvent(LockEvent, event));
}
