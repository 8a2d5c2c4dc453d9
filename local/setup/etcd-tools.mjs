import fs from 'node:fs';
import path from 'node:path';
import { withLock } from './lock.mjs';
import { answerOf, runLogged, tailOf } from './processes.mjs';
import { SetupError } from './setup-error.mjs';

const PROGRAMS = {
  etcd: { module: 'go.etcd.io/etcd/server/v3', version: ['--version'] },
  etcdctl: { module: 'go.etcd.io/etcd/etcdctl/v3', version: ['version'] },
  etcdutl: { module: 'go.etcd.io/etcd/etcdutl/v3', version: ['version'] },
};
const BUILD = ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w'];

/** What is wrong with a folder of etcd programs: one line for each that is missing, does not run or is of another release. */
async function faultsOf(folder, accepts) {
  const lines = await Promise.all(
    Object.entries(PROGRAMS).map(async ([program, { version }]) => {
      const file = path.join(folder, program);
      if (!fs.existsSync(file)) return `${program} is not there`;
      const answer = await answerOf(file, version, { env: { ...process.env, ETCDCTL_API: '3' } });
      if (answer === undefined) return `${program} does not run`;
      const found = /version:?\s+(\d+\.\d+\.\d+)/i.exec(answer)?.[1];
      return found !== undefined && accepts(found) ? undefined : `${program} is version ${found ?? 'unknown'}`;
    }),
  );
  return lines.filter((line) => line !== undefined);
}

const variableOf = (minor) => `LIFEBOAT_ETCD_BIN_${minor.replace('.', '_')}`;

/** A folder that the user named instead: it must be right, and is never written to. */
function ownEtcd(minor, folder) {
  const variable = variableOf(minor);
  const faults = () => faultsOf(folder, (found) => found.startsWith(`${minor}.`));
  const verdict = async () => {
    const found = await faults();
    return found.length === 0
      ? undefined
      : `  ${variable}=${folder} does not hold etcd ${minor}: ${found.join(', ')}\n    name a folder with etcd, etcdctl and etcdutl ${minor}.x, or unset the variable to have them built by Go`;
  };
  return {
    name: `etcd ${minor}`,
    needs: [],
    verdict,
    isDone: async () => (await faults()).length === 0,
    run: () => Promise.reject(new SetupError(`${variable} stopped holding etcd ${minor} while the set-up ran`)),
    environment: { [variable]: folder },
  };
}

/** etcd, etcdctl and etcdutl of one release, built by Go from a tool module whose go.sum pins every byte. */
export function etcdTools({ setup, cache, logs }, minor, env) {
  const own = env[variableOf(minor)];
  if (own) return ownEtcd(minor, path.resolve(own));
  const module = path.join(setup, `etcd-${minor}`);
  const version = /go\.etcd\.io\/etcd\/server\/v3 v(\d+\.\d+\.\d+)/.exec(fs.readFileSync(path.join(module, 'go.mod'), 'utf8'))[1];
  const home = path.join(cache, 'etcd', version);
  const bin = path.join(home, 'bin');
  const log = path.join(logs, `etcd-${minor}.log`);
  const isDone = async () => (await faultsOf(bin, (found) => found === version)).length === 0;

  async function build() {
    if (await isDone()) return;
    fs.mkdirSync(bin, { recursive: true });
    const aside = fs.mkdtempSync(path.join(home, 'build-'));
    try {
      const options = { cwd: module, log, env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' } };
      for (const [program, { module: package_ }] of Object.entries(PROGRAMS)) {
        if (!(await runLogged('go', [...BUILD, '-o', path.join(aside, program), package_], options)))
          throw new SetupError(
            `building ${program} ${version} failed\n  next: see the output; a network problem passes by running the same command again. Without network, set ${variableOf(minor)} to a folder with etcd, etcdctl and etcdutl ${minor}.x\n  full output: ${log}\n${tailOf(log)}`,
          );
      }
      for (const program of Object.keys(PROGRAMS)) fs.renameSync(path.join(aside, program), path.join(bin, program));
    } finally {
      fs.rmSync(aside, { recursive: true, force: true });
    }
    const faults = await faultsOf(bin, (found) => found === version);
    if (faults.length > 0)
      throw new SetupError(
        `etcd ${version} was built but does not work: ${faults.join(', ')}\n  next: delete ${home} and run the same command again\n  full output: ${log}`,
      );
  }

  return {
    name: `etcd ${version}`,
    needs: ['go'],
    isDone,
    run: () => withLock(path.join(cache, 'locks', `etcd-${version}`), build),
    environment: { [variableOf(minor)]: bin },
  };
}
