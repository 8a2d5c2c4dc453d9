import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder of package.json: commands of the app are run there. */
export const projectRoot = path.resolve(__dirname, '..');

export type EtcdRelease = '3.6' | '3.5';

const variables = {
  python: 'LIFEBOAT_PYTHON',
  '3.6': 'LIFEBOAT_ETCD_BIN_3_6',
  '3.5': 'LIFEBOAT_ETCD_BIN_3_5',
  kubernetes: 'LIFEBOAT_K8S_BIN',
} as const;

function fromSetup(tool: keyof typeof variables): string {
  const found = process.env[variables[tool]];
  if (found === undefined || !existsSync(found))
    throw new Error(
      `${variables[tool]} does not name a file: start this by \`npm run\` or \`node local/setup.mjs --for ${tool === 'kubernetes' ? 'e2e' : 'test'} -- <command>\``,
    );
  return found;
}

/** The Python of the virtual environment that local/setup.mjs made. */
export const pythonPath = (): string => fromSetup('python');

/** The full path of an etcd program of one release. */
export const etcdProgram = (release: EtcdRelease, program: 'etcd' | 'etcdctl' | 'etcdutl'): string =>
  path.join(fromSetup(release), program);

export type KubernetesProgram = 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubectl';

/** The full path of a program of Kubernetes. */
export const kubernetesProgram = (program: KubernetesProgram): string => path.join(fromSetup('kubernetes'), program);

/** A program that npm installed, such as `cdk`. */
export const packageProgram = (name: string): string => path.join(projectRoot, 'node_modules/.bin', name);

/** Whether real Kubernetes is here: only `npm run e2e` builds it, and tours take what is there (local/setup/steps.mjs). */
export function realKubernetes(): boolean {
  try {
    return existsSync(kubernetesProgram('kube-apiserver'));
  } catch {
    return false;
  }
}
