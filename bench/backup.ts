// npm run bench:backup: the deployed function against what an operator would write in a cron job, on the same etcd and the same S3.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { startLocalCloud } from '../local/cloud';
import type { LocalCloud } from '../local/cloud';
import { awsEnvironment } from '../local/cloud/clients';
import { deployLifeboat } from '../local/deployment';
import type { Deployment } from '../local/deployment';
import { startEtcdCluster } from '../local/etcd/cluster';
import type { EtcdCluster } from '../local/etcd/cluster';
import { seedKubernetesData } from '../local/etcd/kubernetes-data';
import { etcdProgram } from '../local/tools';
import { median, timed } from './measure';
import { benchOptions } from './options';

const run = promisify(execFile);

interface Run {
  readonly wallMs: number;
  readonly verifyMs: number;
  /** Milliseconds by phase, as the function itself measured them; phases overlap. */
  readonly phases: Readonly<Record<string, number>>;
  readonly storedBytes: number;
  readonly plainBytes: number;
}

/** One snapshot by the deployed function, checked and attested; wall time as its caller sees it. */
async function byLifeboat(lifeboat: Deployment): Promise<Run> {
  const { result: answer, wallMs } = await timed(() => lifeboat.takeSnapshot());
  if (answer.outcome === 'failed') throw new Error(`take-snapshot failed with ${answer.error.name}: ${answer.error.message}`);
  const manifest = (await lifeboat.snapshots()).at(-1);
  if (manifest?.verified !== true) throw new Error('the snapshot is not verified, so the two sides did not do comparable work');
  return {
    wallMs,
    verifyMs: manifest.durations['verify'] ?? 0,
    phases: manifest.durations,
    storedBytes: manifest.stored.bytes,
    plainBytes: manifest.plainBytes,
  };
}

/** `etcdctl snapshot save` and `aws s3 cp`: one after the other, as a script does it; nothing is checked but the transport. */
async function byScript(cloud: LocalCloud, etcd: EtcdCluster, bucket: string, folder: string): Promise<Run> {
  const file = path.join(folder, 'script.db');
  const pki = path.join(etcd.folder, 'pki');
  const tls = [`--cacert=${pki}/ca.crt`, `--cert=${pki}/client.crt`, `--key=${pki}/client.key`];
  const endpoint = etcd.endpoints[0] ?? '';
  const { wallMs } = await timed(async () => {
    await run(etcdProgram(etcd.release, 'etcdctl'), [`--endpoints=${endpoint}`, ...tls, 'snapshot', 'save', file]);
    await run('aws', ['s3', 'cp', '--quiet', file, `s3://${bucket}/bench/script.db`], { env: awsEnvironment(cloud.endpoint, folder) });
  });
  // The check that a careful script would add; not part of its time, but what ours is measured by.
  const { wallMs: verifyMs } = await timed(() => run(etcdProgram(etcd.release, 'etcdutl'), ['snapshot', 'status', file]));
  const { size } = statSync(file);
  rmSync(file);
  return { wallMs, verifyMs, phases: {}, storedBytes: size, plainBytes: size };
}

function describe(name: string, runs: readonly Run[]): string {
  const walls = runs.map(({ wallMs }) => wallMs / 1000);
  return `${name.padEnd(36)} median ${median(walls).toFixed(2)} s   (${walls.map((wall) => wall.toFixed(2)).join(', ')})`;
}

async function compare(cloud: LocalCloud, etcd: EtcdCluster, size: number, rounds: number, folder: string): Promise<void> {
  const lifeboat = await deployLifeboat(cloud, { endpoints: etcd.endpoints, maxDbSizeGiB: Math.ceil(size / 900) });
  await lifeboat.putSecret(etcd.credentials);
  const seeded = await seedKubernetesData(etcd, { megabytes: size });
  console.error(`seeded ${seeded.objects} objects in ${seeded.seconds.toFixed(0)} s`);
  const ours: Run[] = [];
  const script: Run[] = [];
  // One of each unmeasured: a cold function and cold page caches are the same for both only once they are warm.
  for (let round = 0; round <= rounds; round++) {
    const one = await byLifeboat(lifeboat);
    const other = await byScript(cloud, etcd, lifeboat.bucket, folder);
    if (round === 0) continue;
    ours.push(one);
    script.push(other);
    console.error(`round ${round}: ${(one.wallMs / 1000).toFixed(2)} s against ${(other.wallMs / 1000).toFixed(2)} s`);
  }
  const rss = cloud.peakRssMiB(lifeboat.takeSnapshotFunction) ?? Number.NaN;
  const wall = median(ours.map(({ wallMs }) => wallMs));
  const scriptWall = median(script.map(({ wallMs }) => wallMs));
  const verify = median(ours.map(({ verifyMs }) => verifyMs));
  const scriptVerify = median(script.map(({ verifyMs }) => verifyMs));
  const { plainBytes, storedBytes } = ours[0] ?? { plainBytes: 1, storedBytes: 0 };
  console.log(`database                             ${(plainBytes / 1e6).toFixed(0)} MB, ${rounds} alternating rounds`);
  console.log(describe('take-snapshot, deployed, verified', ours));
  console.log(describe('etcdctl snapshot save + aws s3 cp', script));
  console.log(
    `of it to check every page, and HashKV  ${(verify / 1000).toFixed(2)} s; etcdutl snapshot status takes ${(scriptVerify / 1000).toFixed(2)} s`,
  );
  const phases = Object.keys(ours[0]?.phases ?? {}).map(
    (name) => `${name} ${(median(ours.map((one) => one.phases[name] ?? 0)) / 1000).toFixed(2)} s`,
  );
  console.log(`its phases, which overlap            ${phases.join(', ')}`);
  console.log(`peak RSS of the function             ${rss.toFixed(0)} MiB`);
  console.log(`stored                               ${(storedBytes / 1e6).toFixed(1)} MB`);
  const ratio = (value: number) => Number(value.toFixed(3));
  console.log(
    JSON.stringify({
      wallRatio: ratio(wall / scriptWall),
      peakRssMiB: Math.round(rss),
      storedRatio: ratio(storedBytes / plainBytes),
      verifyRatio: ratio(verify / scriptVerify),
    }),
  );
}

async function main(): Promise<void> {
  const { size, runs } = benchOptions('bench:backup', 'Times the deployed function against etcdctl snapshot save and aws s3 cp, in turn.');
  const folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-bench-'));
  const cloud = await startLocalCloud({ faultProxy: false });
  try {
    const etcd = await startEtcdCluster();
    try {
      await compare(cloud, etcd, size, runs, folder);
    } finally {
      await etcd.stop();
    }
  } finally {
    await cloud.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
