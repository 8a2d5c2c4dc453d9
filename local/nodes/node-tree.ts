import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import type { EtcdRelease } from '../tools';
import { etcdProgram, pythonPath } from '../tools';

/** The folders of a node, as kubeadm names them, below a folder of its own. */
export interface NodeTree {
  readonly folder: string;
  /** Has the kubeconfigs. */
  readonly kubernetesDir: string;
  readonly manifestDir: string;
  readonly pkiDir: string;
  readonly dataDir: string;
  readonly stateDir: string;
  /** Where a kubelet would keep its own certificate. */
  readonly kubeletDir: string;
  /** The first folder on PATH of whatever runs on the node. */
  readonly binDir: string;
  readonly logDir: string;
  /** Where a kubelet has the logs of pods; of etcd a link to its log, as with Docker. */
  readonly podLogDir: string;
  /** Has a file for each command that runs now, with the id of its process group. */
  readonly runDir: string;
}

export function makeTree(folder: string): NodeTree {
  const tree = {
    folder,
    kubernetesDir: path.join(folder, 'etc/kubernetes'),
    manifestDir: path.join(folder, 'etc/kubernetes/manifests'),
    pkiDir: path.join(folder, 'etc/kubernetes/pki'),
    dataDir: path.join(folder, 'var/lib/etcd'),
    stateDir: path.join(folder, 'var/lib/kube-lifeboat'),
    kubeletDir: path.join(folder, 'var/lib/kubelet'),
    binDir: path.join(folder, 'bin'),
    logDir: path.join(folder, 'var/log'),
    podLogDir: path.join(folder, 'var/log/pods'),
    runDir: path.join(folder, 'run'),
  };
  for (const each of [tree.manifestDir, path.join(tree.pkiDir, 'etcd'), tree.binDir, tree.logDir, tree.runDir])
    mkdirSync(each, { recursive: true });
  const etcdLogs = path.join(tree.podLogDir, 'kube-system_etcd-local_0/etcd');
  mkdirSync(etcdLogs, { recursive: true });
  symlinkSync(path.join(tree.logDir, 'etcd.log'), path.join(etcdLogs, '0.log'));
  mkdirSync(tree.dataDir, { recursive: true, mode: 0o700 });
  return tree;
}

/** The programs that an operator is expected to have on a node. */
export function installPrograms({ binDir }: NodeTree, release: EtcdRelease): void {
  symlinkSync(etcdProgram(release, 'etcdutl'), path.join(binDir, 'etcdutl'));
  symlinkSync(path.join(path.dirname(pythonPath()), 'aws'), path.join(binDir, 'aws'));
}
