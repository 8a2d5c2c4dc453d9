import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export type EtcdLine = '3.5' | '3.6';

/** The patch release of each supported line that tests, benches and the local cloud agree on. */
export const ETCD_VERSIONS: Readonly<Record<EtcdLine, string>> = { '3.5': '3.5.35', '3.6': '3.6.16' };

const OVERRIDES: Readonly<Record<EtcdLine, string>> = { '3.5': 'LIFEBOAT_ETCD_BIN_3_5', '3.6': 'LIFEBOAT_ETCD_BIN_3_6' };

export interface EtcdBinaries {
  readonly etcd: string;
  readonly etcdctl: string;
  readonly etcdutl: string;
}

/** The folder that holds everything which is built or generated once: `LIFEBOAT_CACHE`, else `kube-lifeboat` in the user's cache folder. */
export function cacheFolder(): string {
  const userCache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return process.env.LIFEBOAT_CACHE ?? join(userCache, 'kube-lifeboat');
}

/**
 * Absolute paths of the real etcd programs of a release line: `<cache>/etcd/<version>/bin`, or the folder that
 * `LIFEBOAT_ETCD_BIN_3_5` / `LIFEBOAT_ETCD_BIN_3_6` names.
 *
 * @throws Error that names the missing program and what to do.
 */
export function etcdBinaries(line: EtcdLine): EtcdBinaries {
  const folder = process.env[OVERRIDES[line]] ?? join(cacheFolder(), 'etcd', ETCD_VERSIONS[line], 'bin');
  const binaries = { etcd: join(folder, 'etcd'), etcdctl: join(folder, 'etcdctl'), etcdutl: join(folder, 'etcdutl') };
  for (const [name, path] of Object.entries(binaries)) {
    if (!existsSync(path))
      throw new Error(`${name} ${ETCD_VERSIONS[line]} is not at ${path}: run the local setup, or set ${OVERRIDES[line]}`);
  }
  return binaries;
}
