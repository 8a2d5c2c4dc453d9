import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { Manifest } from '../../lambdas/contract/manifest';
import { bootRestored, snapshotStatus } from '../etcd/restored-member';
import { unzstd } from '../unzstd';
import type { SoakWorld } from './world';

/** As many as there are processors on a small machine. */
const AT_ONCE = 2;

export interface RestoreReport {
  /** Of how many the file was fetched and found to be what the manifest says. */
  readonly fetched: number;
  /** How many of them were restored into a member that gave the HashKV of the manifest. */
  readonly booted: number;
  /** What is wrong, by snapshot. */
  readonly problems: readonly string[];
}

/**
 * Fetches every listed snapshot and asks the tools of others what it is. Boots a member from each as long as there is time, and from the
 * newest and the oldest in any case.
 */
export async function restoreAll(world: SoakWorld, manifests: readonly Manifest[], deadline: number): Promise<RestoreReport> {
  // The two ends first, so that they are never what time ran out for.
  const queue = [...new Set([manifests.at(-1), manifests[0], ...manifests])].filter((manifest) => manifest !== undefined);
  const problems: string[] = [];
  let fetched = 0;
  let booted = 0;
  let begun = 0;
  const work = async () => {
    for (let manifest = queue.shift(); manifest !== undefined; manifest = queue.shift()) {
      const { id } = manifest;
      const boot = begun++ < 2 || Date.now() < deadline;
      const found = await restoreOne(world, manifest, boot).catch((error: unknown) => [String(error)]);
      problems.push(...found.map((problem) => `${id}: ${problem}`));
      fetched++;
      if (boot) booted++;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { fetched, booted, problems };
}

async function restoreOne({ lifeboat, etcd, folder }: SoakWorld, manifest: Manifest, boot: boolean): Promise<string[]> {
  const place = mkdtempSync(path.join(folder, 'restore-'));
  const [packed, plain] = [path.join(place, 'snapshot.db.zst'), path.join(place, 'snapshot.db')];
  try {
    const { Body } = await lifeboat.s3.send(new GetObjectCommand({ Bucket: lifeboat.bucket, Key: manifest.stored.key }));
    if (!(Body instanceof Readable)) return ['its object has no body'];
    await pipeline(Body, createWriteStream(packed));
    await unzstd(packed, plain);
    const status = await snapshotStatus(plain, etcd.release);
    const problems = [
      ...different('SHA-256', await sha256(plain), manifest.plainSha256),
      ...different('status hash', status.hash, manifest.statusHash),
      ...different('revision', status.revision, manifest.revision),
      ...different('number of keys', status.totalKeys, manifest.totalKeys),
    ];
    if (!boot) return problems;
    const member = await bootRestored(plain, place, etcd.release);
    try {
      return [...problems, ...different('HashKV', await member.hashKv(manifest.revision), manifest.hashKv.hash)];
    } finally {
      await member.stop();
    }
  } finally {
    rmSync(place, { recursive: true, force: true, maxRetries: 3 });
  }
}

const different = (what: string, found: unknown, expected: unknown): string[] =>
  found === expected ? [] : [`${what} is ${String(found)}, and ${String(expected)} in the manifest`];

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
