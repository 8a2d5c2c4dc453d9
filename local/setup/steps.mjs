import { etcdTools } from './etcd-tools.mjs';
import { kubernetesIsThere, kubernetesTools } from './kubernetes-tools.mjs';
import { npmPackages } from './npm-packages.mjs';
import { pythonTools } from './python-tools.mjs';

/** Which etcd releases each purpose runs: backups of the older one are only proven by the tests. */
const ETCD = { demo: ['3.6'], bench: ['3.6'], test: ['3.6', '3.5'], ci: ['3.6', '3.5'], e2e: ['3.6'] };
/** Real Kubernetes takes minutes to build, so only what runs it has it. */
const KUBERNETES = ['e2e'];
/** These show it where it was built before. */
const KUBERNETES_IF_THERE = ['demo'];

/**
 * Each step: `name`, `needs` (names of prerequisites), `isDone()`, `run()`, maybe a `verdict()` on what the user gave,
 * and what the command gets from it: `path` entries and `environment` variables.
 */
export function stepsFor(purpose, places, env) {
  const wanted = KUBERNETES.includes(purpose) || (KUBERNETES_IF_THERE.includes(purpose) && kubernetesIsThere(places, env));
  const kubernetes = wanted ? [kubernetesTools(places, env)] : [];
  return [npmPackages(places), pythonTools(places), ...ETCD[purpose].map((minor) => etcdTools(places, minor, env)), ...kubernetes];
}
