import { existsSync } from 'node:fs';
import path from 'node:path';
import { goTools, pinned } from './go-tools.mjs';

const COMPONENTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
const PROGRAMS = {
  ...Object.fromEntries(COMPONENTS.map((name) => [name, { package: `k8s.io/kubernetes/cmd/${name}`, version: ['--version'] }])),
  kubectl: { package: 'k8s.io/kubernetes/cmd/kubectl', version: ['version', '--client'] },
};

/** What hack/lib/version.sh of Kubernetes passes: without it the programs call themselves v0.0.0-master, and no client makes sense of that. */
function ldflags(release) {
  const [major, minor] = release.split('.');
  const variables = { gitVersion: `v${release}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  return ['-s -w', ...Object.entries(variables).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)].join(' ');
}

const moduleIn = (places) => path.join(places.setup, 'kubernetes');
const releaseIn = (places) => pinned(moduleIn(places), 'k8s.io/kubernetes');

/** Whether somebody has built it, or named programs of his own: what shows it where it is there builds nothing. */
export const kubernetesIsThere = (places, env) =>
  Boolean(env.LIFEBOAT_K8S_BIN) || existsSync(path.join(places.cache, 'kubernetes', releaseIn(places), 'bin/kube-apiserver'));

/** What a kubeadm control plane runs besides etcd, and kubectl of the same release. */
export function kubernetesTools(places, env) {
  const module = moduleIn(places);
  const release = releaseIn(places);
  const tools = {
    name: 'Kubernetes',
    folder: 'kubernetes',
    release,
    module,
    programs: PROGRAMS,
    found: /v(\d+\.\d+\.\d+)/,
    ldflags: ldflags(release),
    variable: 'LIFEBOAT_K8S_BIN',
    accepts: (found) => found.startsWith('1.'),
    wanted: '1.x',
  };
  return goTools(places, tools, env);
}
