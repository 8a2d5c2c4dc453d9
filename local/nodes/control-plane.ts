import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Kubectl } from '../kubectl';
import type { KubernetesProgram } from '../tools';
import { kubernetesProgram, pythonPath } from '../tools';
import type { Address } from './addresses';
import { installKubeconfigs } from './kubeconfigs';
import { installKubelet } from './kubelet-pki';
import { apiserverManifest, controllerManagerManifest, schedulerManifest } from './manifests';
import type { NodeTree } from './node-tree';
import type { Authorities, LeafSubjects } from './pki';
import { installControlPlanePki } from './pki';

/** Of what only pretends to be Kubernetes. */
export const PRETENDED_VERSION = '1.37.2';

/** Of the programs that the set-up gave. */
export function kubernetesVersion(): string {
  const told = execFileSync(kubernetesProgram('kube-apiserver'), ['--version'], { encoding: 'utf8' });
  const version = /v(\d+\.\d+\.\d+)/.exec(told)?.[1];
  if (version === undefined) throw new Error(`kube-apiserver --version says "${told.trim()}", which names no release`);
  return version;
}

export interface ControlPlaneOptions {
  /** Whether the real programs run. */
  readonly real: boolean;
  /** Whether the node has all that kubeadm writes. */
  readonly whole: boolean;
  readonly version: string;
  readonly address: Address;
  readonly advertiseAddress: string;
  readonly etcdUrls: readonly string[];
  /** What stands in front of all API servers. */
  readonly controlPlane: { readonly host: string; readonly port: number } | undefined;
  readonly subjects: LeafSubjects;
}

/** The text of each manifest, and the file of each program that they name. */
export interface ControlPlane {
  readonly manifests: Readonly<Record<string, string>>;
  readonly programs: Readonly<Record<string, string>>;
}

/** What runs on a node besides etcd; what that reads is written into the tree. */
export function controlPlaneOn(tree: NodeTree, authorities: Authorities, options: ControlPlaneOptions): ControlPlane {
  const { real, whole, version, address, advertiseAddress, etcdUrls, subjects } = options;
  const { pkiDir, kubernetesDir } = tree;
  const place = { bindAddress: address.host, pkiDir, version };
  const apiserver = apiserverManifest({ ...place, advertiseAddress, port: address.apiPort, etcdUrls });
  const programOf = (name: KubernetesProgram) => (real ? kubernetesProgram(name) : pretended(tree, name));
  if (!whole) return { manifests: { 'kube-apiserver.yaml': apiserver }, programs: { 'kube-apiserver': programOf('kube-apiserver') } };
  installControlPlanePki(tree, authorities, subjects);
  const urls = urlsOf(options);
  installKubeconfigs(tree, { authority: authorities.cluster, ...urls });
  if (!real) installKubelet(tree, address.name, { authority: authorities.cluster, ...urls });
  const manager = { ...place, port: address.controllerManagerPort, kubeconfig: path.join(kubernetesDir, 'controller-manager.conf') };
  const scheduler = { ...place, port: address.schedulerPort, kubeconfig: path.join(kubernetesDir, 'scheduler.conf') };
  return {
    manifests: {
      'kube-apiserver.yaml': apiserver,
      'kube-controller-manager.yaml': controllerManagerManifest(manager),
      'kube-scheduler.yaml': schedulerManifest(scheduler),
    },
    programs: {
      'kube-apiserver': programOf('kube-apiserver'),
      'kube-controller-manager': programOf('kube-controller-manager'),
      'kube-scheduler': programOf('kube-scheduler'),
    },
  };
}

/** By what the kubeconfigs of a node lead to the API. */
export function urlsOf({ address, controlPlane }: Pick<ControlPlaneOptions, 'address' | 'controlPlane'>): {
  readonly apiUrl: string;
  readonly controlPlaneUrl: string;
} {
  const { host, port } = controlPlane ?? { host: address.host, port: address.apiPort };
  return { apiUrl: `https://${address.host}:${address.apiPort}`, controlPlaneUrl: `https://${host}:${port}` };
}

const PRETENDED: Partial<Record<KubernetesProgram, string>> = {
  'kube-apiserver': 'pretend-apiserver.py',
  'kube-controller-manager': 'pretend-manager.py',
  'kube-scheduler': 'pretend-manager.py',
};

/** A script is named by its file in the process table, as a program is. */
function pretended({ folder }: NodeTree, name: KubernetesProgram): string {
  const source = PRETENDED[name];
  if (source === undefined) throw new RangeError(`nothing pretends to be ${name}`);
  const file = path.join(folder, name);
  writeFileSync(file, `#!${pythonPath()}\n${readFileSync(path.join(__dirname, source), 'utf8')}`);
  chmodSync(file, 0o755);
  return file;
}

/** What `kubeadm init` does with super-admin.conf: until then nobody but that may do anything. */
export async function bindAdministrators({ tree, apiUrl }: { readonly tree: NodeTree; readonly apiUrl: string }): Promise<void> {
  const group = 'kubeadm:cluster-admins';
  const superAdmin = new Kubectl(path.join(tree.kubernetesDir, 'super-admin.conf')).at(apiUrl);
  await superAdmin.run(['create', 'clusterrolebinding', group, '--clusterrole=cluster-admin', `--group=${group}`]);
}
