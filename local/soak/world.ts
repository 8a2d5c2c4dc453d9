import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LockPolicy, RetentionPolicy } from '../../lambdas/contract/retention';
import { startLocalCloud } from '../cloud';
import type { LocalCloud } from '../cloud';
import { deployLifeboat } from '../deployment';
import type { Deployment } from '../deployment';
import { clientOf } from '../etcd/client';
import { startEtcdCluster } from '../etcd/cluster';
import type { EtcdCluster } from '../etcd/cluster';
import { seedKubernetesData } from '../etcd/kubernetes-data';
import type { Narrator } from '../narrator';
import { startWriteLoad } from './write-load';
import type { WriteLoad } from './write-load';

/** Small numbers, so that every tier lets go within the eight days that a soak lasts by the clock of the functions. */
export const POLICY: RetentionPolicy = {
  ...{ hourly: 12, daily: 4, weekly: 1, monthly: 1, yearly: 1 },
  ...{ floor: 3, preChangeDays: 3, unverifiedDays: 2, lineageDays: 30 },
};
/** As short as the config allows. */
const LOCK: LockPolicy = { mode: 'governance', days: 1 };

/** Everything that the soak runs against. */
export interface SoakWorld {
  readonly cloud: LocalCloud;
  readonly etcd: EtcdCluster;
  readonly lifeboat: Deployment;
  readonly load: WriteLoad;
  /** A place of its own for restores. */
  readonly folder: string;
}

/** Fills and deploys; whatever was started is put in front of `closing` at once. */
export async function startSoakWorld(
  narrator: Narrator,
  { megabytes, seed }: { readonly megabytes: number; readonly seed: number },
  closing: (() => Promise<void> | void)[],
): Promise<SoakWorld> {
  const folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-soak-'));
  closing.unshift(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const [cloud, etcd] = await narrator.run('start a local cloud and three etcd members', async () => {
    // The soak is the only clock: real minutes mean nothing to it.
    const cloud = await startLocalCloud({ schedules: false });
    closing.unshift(() => cloud.stop());
    const etcd = await startEtcdCluster();
    closing.unshift(() => etcd.stop());
    return [cloud, etcd] as const;
  });
  await narrator.run(
    `fill them, ${megabytes} MB`,
    () => fill(etcd, megabytes, seed),
    () => '',
  );
  const lifeboat = await narrator.run('cdk deploy, the app unchanged', async () => {
    const deployed = await deployLifeboat(cloud, { cluster: 'soak', endpoints: etcd.endpoints, retention: POLICY, lock: LOCK });
    await deployed.putSecret(etcd.credentials);
    return deployed;
  });
  const load = startWriteLoad(etcd, seed);
  closing.unshift(() => load.stop());
  return { cloud, etcd, lifeboat, load, folder };
}

/** Values that do not compress, so that a small database still takes an upload in several parts, which are 8 MiB each. */
const BALLAST = { count: 12, bytes: 770_000 };
export const BALLAST_MB = 10;

async function fill(etcd: EtcdCluster, megabytes: number, seed: number): Promise<void> {
  await seedKubernetesData(etcd, { megabytes: megabytes - BALLAST_MB, seed });
  const client = clientOf(etcd);
  try {
    for (let n = 0; n < BALLAST.count; n++) {
      const value = createHash('shake256', { outputLength: BALLAST.bytes }).update(`${seed} ${n}`).digest();
      await client.kv.put({ key: Buffer.from(`/registry/secrets/default/sh.helm.release.v1.ballast.v${n}`), value });
    }
  } finally {
    client.close();
  }
}
