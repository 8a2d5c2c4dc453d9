import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LocalCloud } from '../cloud';
import { issueCertificate } from '../etcd/certificates';
import type { EtcdCredentials } from '../etcd/member';
import type { EtcdRelease } from '../tools';
import { etcdProgram } from '../tools';
import type { Address, Ports } from './addresses';
import { addressOf } from './addresses';
import { PRETENDED_VERSION, bindAdministrators, kubernetesVersion } from './control-plane';
import type { LocalNode } from './node';
import type { Authorities } from './pki';
import { newAuthorities } from './pki';
import { startNode } from './start-node';

export { LocalNode } from './node';
export type { CertificateSet, SetOptions } from './certificate-set';

export interface LocalNodesOptions {
  /** The cloud whose Systems Manager reaches them. @default - none */
  readonly cloud?: Pick<LocalCloud, 'endpoint' | 'nodesFile'>;
  /** @default 3 */
  readonly count?: number;
  /** @default '3.6' */
  readonly release?: EtcdRelease;
  /**
   * What runs on them besides etcd: kube-apiserver, kube-controller-manager and kube-scheduler, or programs that only tell by
   * kube-apiserver's `/readyz` whether their etcd is healthy.
   *
   * @default 'pretended'
   */
  readonly kubernetes?: 'real' | 'pretended';
  /**
   * What certificates they have: what etcd and an API server read, or the whole tree of kubeadm with the authorities' keys and the kubeconfigs.
   * With that, controller-manager and scheduler run too, pretended or real.
   *
   * @default 'needed', and 'whole' where Kubernetes is real
   */
  readonly certificates?: 'needed' | 'whole';
  /** Which members each API server knows: its own, as kubeadm has it, or all. @default 'own' */
  readonly etcdServers?: 'own' | 'all';
  /** @default 'free' */
  readonly ports?: Ports;
  /** The port of every API server, as behind one name. @default - each its own */
  readonly apiPort?: number;
  /** What stands in front of the API servers, as clients reach it. @default - each API server for itself */
  readonly controlPlane?: { readonly host: string; readonly port: number };
  /** @default - { 'lifeboat/control-plane': 'demo' } */
  readonly tags?: Readonly<Record<string, string>>;
  /** Nodes that are there already: these have the same authorities, other names, and a cluster of their own. @default - none */
  readonly beside?: LocalNodes;
}

/** Control-plane nodes on this machine: a kubeadm-shaped tree each, and a supervisor that runs what its manifests say. */
export interface LocalNodes {
  readonly nodes: readonly LocalNode[];
  readonly endpoints: readonly string[];
  readonly credentials: EtcdCredentials;
  readonly authorities: Authorities;
  readonly release: EtcdRelease;
  readonly folder: string;
  /** As etcd takes it: name=peerUrl of every node. */
  readonly initialCluster: string;
  stop(): Promise<void>;
}

const versionOf = (release: EtcdRelease): string =>
  /etcd Version: (\S+)/.exec(execFileSync(etcdProgram(release, 'etcd'), ['--version'], { encoding: 'utf8' }))?.[1] ?? release;

/** Starts the nodes and waits until every member serves, and every real API server. Everything lies in a temporary folder that `stop` deletes. */
export async function startLocalNodes(options: LocalNodesOptions = {}): Promise<LocalNodes> {
  const { cloud, count = 3, release = '3.6', tags = { 'lifeboat/control-plane': 'demo' }, beside, controlPlane } = options;
  const real = options.kubernetes === 'real';
  if (process.platform !== 'linux') throw new Error(`local nodes need Linux, this is ${process.platform}: the node documents read /proc`);
  const folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-nodes-'));
  const authorities = beside?.authorities ?? newAuthorities();
  const first = 1 + (beside?.nodes.length ?? 0);
  const credentials = { ca: authorities.etcd.cert, ...issueCertificate(authorities.etcd, { commonName: 'lifeboat', usage: 'client' }) };
  const addresses: Address[] = [];
  for (let index = 0; index < count; index++) addresses.push(await addressOf(first + index, options.ports ?? 'free', options.apiPort));
  const initialCluster = addresses.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
  const endpoints = addresses.map(({ clientUrl }) => clientUrl);
  const shared = { folder, authorities, credentials, release, etcdVersion: versionOf(release), initialCluster, cloud, tags };
  const whole = real || options.certificates === 'whole';
  const kubernetes = { real, whole, controlPlane, version: real ? kubernetesVersion() : PRETENDED_VERSION };
  const nodes = addresses.map((address, index) => {
    const etcdUrls = options.etcdServers === 'all' ? endpoints : [address.clientUrl];
    return startNode({ ...shared, address, controlPlane: { ...kubernetes, advertiseAddress: `192.0.2.${first + index}`, etcdUrls } });
  });
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.remove()));
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await Promise.all(nodes.map((node) => node.ready()));
    if (whole) await Promise.all(nodes.map((node) => node.apiserverReady()));
    if (real && nodes[0] !== undefined) await bindAdministrators(nodes[0]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { nodes, endpoints, credentials, authorities, release, folder, initialCluster, stop };
}
