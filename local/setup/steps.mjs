import { etcdTools } from './etcd-tools.mjs';
import { npmPackages } from './npm-packages.mjs';
import { pythonTools } from './python-tools.mjs';

/** Which etcd releases each purpose runs: backups of the older one are only proven by the tests. */
const ETCD = { demo: ['3.6'], bench: ['3.6'], test: ['3.6', '3.5'], ci: ['3.6', '3.5'] };

/**
 * Each step: `name`, `needs` (names of prerequisites), `isDone()`, `run()`, maybe a `verdict()` on what the user gave,
 * and what the command gets from it: `path` entries and `environment` variables.
 */
export function stepsFor(purpose, places, env) {
  return [npmPackages(places), pythonTools(places), ...ETCD[purpose].map((minor) => etcdTools(places, minor, env))];
}
