import fs from 'node:fs';
import path from 'node:path';
import { answerOf } from './processes.mjs';
import { SetupError } from './setup-error.mjs';

const NODE = { name: 'Node.js', least: [20, 0], get: 'https://nodejs.org/en/download' };
const PYTHON = {
  name: 'Python with venv',
  least: [3, 11],
  get: 'https://www.python.org/downloads/ (Debian and Ubuntu: apt install python3 python3-venv)',
};
const GO = {
  name: 'Go',
  least: [1, 26],
  get: 'https://go.dev/dl/, or name a folder that holds etcd, etcdctl and etcdutl in LIFEBOAT_ETCD_BIN_3_6 (and LIFEBOAT_ETCD_BIN_3_5; for e2e, one with the programs of Kubernetes in LIFEBOAT_K8S_BIN)',
};

const numbers = (text) => text.split('.').map(Number);
const isAtLeast = ([major, minor], [leastMajor, leastMinor]) => major > leastMajor || (major === leastMajor && minor >= leastMinor);

function verdict(wanted, found) {
  if (found !== undefined && isAtLeast(numbers(found), wanted.least)) return undefined;
  const state = found === undefined ? 'not found' : `found ${found}, too old`;
  return `  ${wanted.name} >= ${wanted.least.join('.')}: ${state}\n    get it: ${wanted.get}`;
}

async function npmVerdict() {
  return (await answerOf('npm', ['--version'])) === undefined
    ? '  npm: not found\n    get it: it comes with Node.js, https://nodejs.org/en/download'
    : undefined;
}

/** Go asks it for versions, and the checks of the project for the files that they are to look at. */
async function gitVerdict() {
  return (await answerOf('git', ['--version'])) === undefined ? '  git: not found\n    get it: https://git-scm.com/downloads' : undefined;
}

/** Everything that is built or installed goes there, so it must be writable before anything else is tried. */
function cacheVerdict({ cache }) {
  // Nothing is made yet: whether it can be is decided by the folder above it that exists.
  let existing = cache;
  while (!fs.existsSync(existing)) existing = path.dirname(existing);
  try {
    fs.accessSync(existing, fs.constants.W_OK);
    if (fs.statSync(existing).isDirectory()) return undefined;
  } catch {
    // told below
  }
  return `  a folder for tools: ${cache} cannot be made or written to (${existing} stands in the way)\n    name another one in LIFEBOAT_CACHE`;
}

/** The newest usable Python by its usual names: Debian's `python3` may be old while a newer one lies beside it. */
export async function findPython() {
  const probe = 'import sys, venv, ensurepip; print("%d.%d.%d" % sys.version_info[:3])';
  let best;
  for (const command of ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11']) {
    const version = await answerOf(command, ['-c', probe]);
    if (version !== undefined && isAtLeast(numbers(version), PYTHON.least)) return { command, version };
    if (version !== undefined) best ??= { command, version };
  }
  return best;
}

async function pythonVerdict() {
  const found = await findPython();
  if (found !== undefined) return verdict(PYTHON, found.version);
  const bare = await answerOf('python3', ['-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3])']);
  if (bare === undefined || !isAtLeast(numbers(bare), PYTHON.least)) return verdict(PYTHON, bare);
  return `  Python with venv: found Python ${bare} without the venv and ensurepip modules\n    get them: apt install python3-venv, or a Python from https://www.python.org/downloads/`;
}

async function goVerdict() {
  const answer = await answerOf('go', ['env', 'GOVERSION']);
  return verdict(GO, /go(\d+\.\d+(?:\.\d+)?)/.exec(answer ?? '')?.[1]);
}

const CHECKS = { npm: npmVerdict, python: pythonVerdict, go: goVerdict };

/** Checks everything that the steps still to do need, and names all that is missing at once, before anything is changed. */
export async function checkPrerequisites(steps, places) {
  const cache = cacheVerdict(places);
  if (cache !== undefined) throw new SetupError(`this machine lacks what the set-up needs:\n${cache}`);
  const needed = new Set();
  for (const step of steps) if (!(await step.isDone())) for (const name of step.needs) needed.add(name);
  const verdicts = await Promise.all([
    verdict(NODE, process.versions.node),
    gitVerdict(),
    ...[...needed].map((name) => CHECKS[name]()),
    ...steps.map((step) => step.verdict?.()),
  ]);
  const missing = verdicts.filter((line) => line !== undefined);
  if (missing.length > 0)
    throw new SetupError(
      `this machine lacks what the set-up needs:\n${missing.join('\n')}\nnothing was changed; run the same command again afterwards`,
    );
}
