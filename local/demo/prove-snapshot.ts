import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Manifest } from '../../lambdas/contract/manifest';
import type { LocalCloud } from '../cloud';
import { awsEnvironment } from '../cloud/clients';
import { bootRestored, snapshotStatus } from '../etcd/restored-member';
import type { EtcdRelease } from '../tools';
import { unzstd } from '../unzstd';

const run = promisify(execFile);

/** What other people's tools say of a stored snapshot, beside what the manifest says. */
export interface SnapshotProof {
  readonly decompressedWith: string;
  readonly status: { readonly hash: string; readonly revision: number; readonly totalKeys: number };
  readonly restored: { readonly objects: number; readonly keys: number; readonly hashKv: string };
}

/**
 * Takes a stored snapshot apart without a line of this project's reading code: `aws s3 cp`, `zstd -d`,
 * `etcdutl snapshot status`, `etcdutl snapshot restore`, and a member booted from the result.
 */
export async function proveSnapshot(
  cloud: LocalCloud,
  bucket: string,
  manifest: Manifest,
  folder: string,
  release: EtcdRelease,
  region = cloud.region,
): Promise<SnapshotProof> {
  const { plain, decompressedWith } = await fetchPlain(cloud, bucket, manifest, folder, region);
  const status = await snapshotStatus(plain, release);
  const member = await bootRestored(plain, folder, release);
  try {
    const [objects, keys, hashKv] = await Promise.all([member.count('/registry/'), member.count(''), member.hashKv(manifest.revision)]);
    return { decompressedWith, status, restored: { objects, keys, hashKv } };
  } finally {
    await member.stop();
  }
}

/** Fetches a stored snapshot into `folder` and decompresses it: the plain file that etcd's tools take. */
export async function fetchPlain(
  cloud: LocalCloud,
  bucket: string,
  manifest: Manifest,
  folder: string,
  region = cloud.region,
): Promise<{ readonly plain: string; readonly decompressedWith: string }> {
  const packed = path.join(folder, 'snapshot.db.zst');
  const plain = path.join(folder, 'snapshot.db');
  await run('aws', ['s3', 'cp', '--quiet', `s3://${bucket}/${manifest.stored.key}`, packed], {
    env: { ...awsEnvironment(cloud.endpoint, cloud.folder), AWS_REGION: region, AWS_DEFAULT_REGION: region },
  });
  return { plain, decompressedWith: await unzstd(packed, plain) };
}
