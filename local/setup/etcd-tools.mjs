import path from 'node:path';
import { goTools, pinned } from './go-tools.mjs';

const PROGRAMS = {
  etcd: { package: 'go.etcd.io/etcd/server/v3', version: ['--version'] },
  etcdctl: { package: 'go.etcd.io/etcd/etcdctl/v3', version: ['version'] },
  etcdutl: { package: 'go.etcd.io/etcd/etcdutl/v3', version: ['version'] },
};

/** etcd, etcdctl and etcdutl of one minor release. */
export function etcdTools(places, minor, env) {
  const module = path.join(places.setup, `etcd-${minor}`);
  const tools = {
    name: 'etcd',
    folder: 'etcd',
    release: pinned(module, 'go.etcd.io/etcd/server/v3'),
    module,
    programs: PROGRAMS,
    found: /version:?\s+(\d+\.\d+\.\d+)/i,
    ldflags: '-s -w',
    variable: `LIFEBOAT_ETCD_BIN_${minor.replace('.', '_')}`,
    accepts: (found) => found.startsWith(`${minor}.`),
    wanted: minor,
  };
  return goTools(places, tools, env);
}
