import fs from 'node:fs';
import path from 'node:path';
import { withLock } from './lock.mjs';
import { answerOf, runLogged, tailOf } from './processes.mjs';
import { SetupError } from './setup-error.mjs';

/**
 * Programs of one release that Go builds from a tool module whose go.sum pins every byte:
 * `name` as people call them; `folder` and `release` of the cache; `module`, the folder of go.mod; `programs`, each with its `package`
 * and the arguments by which it tells its `version`; `found`, an expression that finds the release in that; `ldflags`;
 * `variable`, which names a folder to use instead and gives the command the folder; `accepts`, whether a release in such a folder fits, and
 * `wanted`, which ones do.
 */
export function goTools({ cache, logs }, tools, env) {
  const own = env[tools.variable];
  return own ? ownFolder(tools, path.resolve(own)) : built(cache, logs, tools);
}

const namesOf = ({ programs }) => {
  const names = Object.keys(programs);
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
};

/** What is wrong with a folder of programs: one line for each that is missing, does not run or is of another release. */
async function faultsOf({ programs, found }, folder, accepts) {
  const lines = await Promise.all(
    Object.entries(programs).map(async ([program, { version }]) => {
      const file = path.join(folder, program);
      if (!fs.existsSync(file)) return `${program} is not there`;
      const answer = await answerOf(file, version, { env: { ...process.env, ETCDCTL_API: '3' } });
      if (answer === undefined) return `${program} does not run`;
      const release = found.exec(answer)?.[1];
      return release !== undefined && accepts(release) ? undefined : `${program} is version ${release ?? 'unknown'}`;
    }),
  );
  return lines.filter((line) => line !== undefined);
}

/** A folder that the user named instead: it must be right, and is never written to. */
function ownFolder(tools, folder) {
  const { variable, name, wanted, accepts } = tools;
  const faults = () => faultsOf(tools, folder, accepts);
  const verdict = async () => {
    const lines = await faults();
    return lines.length === 0
      ? undefined
      : `  ${variable}=${folder} does not hold ${name} ${wanted}: ${lines.join(', ')}\n    name a folder with ${namesOf(tools)} ${wanted}, or unset the variable to have them built by Go`;
  };
  return {
    name: `${name} ${wanted}`,
    needs: [],
    verdict,
    isDone: async () => (await faults()).length === 0,
    run: () => Promise.reject(new SetupError(`${variable} stopped holding ${name} ${wanted} while the set-up ran`)),
    environment: { [variable]: folder },
  };
}

function built(cache, logs, tools) {
  const { name, folder, release, module, programs, variable, wanted, ldflags } = tools;
  const home = path.join(cache, folder, release);
  const bin = path.join(home, 'bin');
  const log = path.join(logs, `${path.basename(module)}.log`);
  const faults = () => faultsOf(tools, bin, (found) => found === release);
  const isDone = async () => (await faults()).length === 0;

  async function build() {
    if (await isDone()) return;
    fs.mkdirSync(bin, { recursive: true });
    const aside = fs.mkdtempSync(path.join(home, 'build-'));
    try {
      const options = { cwd: module, log, env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' } };
      for (const [program, { package: package_ }] of Object.entries(programs)) {
        const build = ['build', '-trimpath', '-buildvcs=false', `-ldflags=${ldflags}`, '-o', path.join(aside, program), package_];
        if (!(await runLogged('go', build, options)))
          throw new SetupError(
            `building ${program} ${release} failed\n  next: see the output; a network problem passes by running the same command again. Without network, set ${variable} to a folder with ${namesOf(tools)} ${wanted}\n  full output: ${log}\n${tailOf(log)}`,
          );
      }
      for (const program of Object.keys(programs)) fs.renameSync(path.join(aside, program), path.join(bin, program));
    } finally {
      fs.rmSync(aside, { recursive: true, force: true });
    }
    const lines = await faults();
    if (lines.length > 0)
      throw new SetupError(
        `${name} ${release} was built but does not work: ${lines.join(', ')}\n  next: delete ${home} and run the same command again\n  full output: ${log}`,
      );
  }

  return {
    name: `${name} ${release}`,
    needs: ['go'],
    isDone,
    run: () => withLock(path.join(cache, 'locks', `${folder}-${release}`), build),
    environment: { [variable]: bin },
  };
}

/** The release of a module that go.mod pins. */
export function pinned(module, name) {
  const text = fs.readFileSync(path.join(module, 'go.mod'), 'utf8');
  return new RegExp(`^(?:require|\\t)\\s*${name.replaceAll('.', '\\.')} v(\\d+\\.\\d+\\.\\d+)`, 'm').exec(text)[1];
}
