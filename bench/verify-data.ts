import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { startEtcdCluster } from '../local/etcd/cluster';
import { seedKubernetesData } from '../local/etcd/kubernetes-data';
import { etcdProgram, projectRoot } from '../local/tools';

/** The set-up is plain JavaScript, which runs before there is anything that could check types: so its type is said here. */
async function cacheFolder(): Promise<string> {
  const set = (await import(pathToFileURL(path.join(projectRoot, 'local/setup/locations.mjs')).href)) as {
    locations(environment: NodeJS.ProcessEnv): { readonly cache: string };
  };
  return set.locations(process.env).cache;
}

/** Fills a real etcd with the data that demo and tests use, and saves a snapshot of it. */
async function make(megabytes: number, target: string): Promise<void> {
  const etcd = await startEtcdCluster({ members: 1 });
  try {
    const { objects, seconds } = await seedKubernetesData(etcd, { megabytes });
    console.log(`seeded ${objects} objects in ${seconds.toFixed(0)} s`);
    const pki = path.join(etcd.folder, 'pki');
    const tls = [`--cacert=${pki}/ca.crt`, `--cert=${pki}/client.crt`, `--key=${pki}/client.key`];
    const partial = `${target}.${process.pid}.partial`;
    execFileSync(etcdProgram(etcd.release, 'etcdctl'), ['--endpoints', etcd.endpoints.join(','), ...tls, 'snapshot', 'save', partial]);
    renameSync(partial, target);
  } finally {
    await etcd.stop();
  }
}

/** A snapshot of about that many MB, made once and kept in the cache folder. It is in the page cache when this returns. */
export async function kubernetesSnapshot(megabytes: number): Promise<{ readonly file: string; readonly bytes: number }> {
  const folder = path.join(await cacheFolder(), 'bench');
  const file = path.join(folder, `kubernetes-data-${megabytes}.db`);
  mkdirSync(folder, { recursive: true });
  if (!existsSync(file)) await make(megabytes, file);
  execFileSync('cksum', [file]);
  return { file, bytes: statSync(file).size };
}
