import fs from 'node:fs';
import path from 'node:path';
import { withLock } from './lock.mjs';
import { answerOf, runLogged, tailOf } from './processes.mjs';
import { SetupError } from './setup-error.mjs';

const readJson = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

/** Whether node_modules is what package-lock.json says, by the record that npm itself leaves after each complete install. */
export function isInstalled(lockFile, installedFile) {
  if (!fs.existsSync(installedFile)) return false;
  const wanted = readJson(lockFile).packages;
  const installed = readJson(installedFile).packages;
  return (
    Object.entries(installed).every(([name, entry]) => wanted[name]?.version === entry.version) &&
    // Optional packages are those of other platforms; what is there was compared above.
    Object.entries(wanted).every(([name, entry]) => name === '' || entry.optional || entry.devOptional || entry.peer || name in installed)
  );
}

/** Under `npm run`, PATH begins with the very folder that `npm ci` deletes: npm must run by the system's Node. */
function environmentOutsideNodeModules() {
  const entries = (process.env.PATH ?? '').split(path.delimiter).filter((entry) => !/node_modules[/\\](\.bin|npm)/.test(entry));
  return { ...process.env, PATH: entries.join(path.delimiter) };
}

/** The project's packages, with Node 24 among them: it must have run its install script to be there. */
export function npmPackages({ root, cache, logs, nodeModules }) {
  const log = path.join(logs, 'npm-packages.log');
  const node = path.join(nodeModules, '.bin/node');
  const options = { cwd: root, log, env: environmentOutsideNodeModules() };
  const help = (what, next) => new SetupError(`${what}\n${next}\n  full output: ${log}\n${tailOf(log)}`);

  const hasNode24 = async () => fs.existsSync(node) && (await answerOf(node, ['--version']))?.startsWith('v24.') === true;
  const hasPackages = () => isInstalled(path.join(root, 'package-lock.json'), path.join(nodeModules, '.package-lock.json'));

  /** npm can be told not to run install scripts; the node package needs its own, and only then is there anything to link to. */
  async function runNodeInstaller() {
    const home = path.join(nodeModules, 'node');
    await runLogged(process.execPath, ['installArchSpecificPackage.js'], { ...options, cwd: home });
    if (fs.existsSync(path.join(home, 'bin/node')) && !fs.existsSync(node)) fs.symlinkSync('../node/bin/node', node);
  }

  async function install() {
    if (!hasPackages() && !(await runLogged('npm', ['ci', '--loglevel=notice', '--foreground-scripts'], options)))
      throw help('npm ci failed', '  next: see the output; a network or registry problem passes by running the same command again');
    if (!(await hasNode24())) await runNodeInstaller();
    if (!(await hasNode24()))
      throw help(
        'node_modules/.bin/node is not Node 24',
        '  next: let npm run the install script of the node package (`npm config set ignore-scripts false`), delete node_modules and run the same command again',
      );
  }

  return {
    name: 'npm packages',
    needs: ['npm'],
    isDone: async () => hasPackages() && (await hasNode24()),
    run: () => withLock(path.join(cache, 'locks', `npm-${Buffer.from(root).toString('base64url')}`), install),
  };
}
