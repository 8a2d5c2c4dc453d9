import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { withLock } from './lock.mjs';
import { findPython } from './prerequisites.mjs';
import { runLogged, tailOf } from './processes.mjs';
import { SetupError } from './setup-error.mjs';

/** The AWS emulator and independent judges, in a virtual environment of their own, named by the hash of what is in it. */
export function pythonTools({ setup, cache, logs }) {
  const requirements = path.join(setup, 'requirements.txt');
  const hash = createHash('sha256').update(fs.readFileSync(requirements)).digest('hex').slice(0, 12);
  const home = path.join(cache, 'python', hash);
  const python = path.join(home, 'bin/python');
  const stamp = path.join(home, 'complete');
  const log = path.join(logs, 'python-tools.log');
  const isDone = () => fs.existsSync(stamp) && fs.existsSync(python);

  async function install() {
    if (isDone()) return;
    const base = await findPython();
    fs.rmSync(home, { recursive: true, force: true });
    if (!(await runLogged(base.command, ['-m', 'venv', home], { log })))
      throw new SetupError(
        `no virtual environment could be made in ${home}\n  next: check that the folder can be written and that \`${base.command} -m venv\` works\n  full output: ${log}\n${tailOf(log)}`,
      );
    if (!(await runLogged(python, ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '-r', requirements], { log })))
      throw new SetupError(
        `pip install failed\n  next: see the output; a network problem passes by running the same command again\n  full output: ${log}\n${tailOf(log)}`,
      );
    fs.writeFileSync(stamp, `${base.version}\n`);
  }

  return {
    name: 'python tools',
    needs: ['python'],
    isDone: async () => isDone(),
    run: () => withLock(path.join(cache, 'locks', `python-${hash}`), install),
    path: [path.join(home, 'bin')],
    environment: { LIFEBOAT_PYTHON: python },
  };
}
