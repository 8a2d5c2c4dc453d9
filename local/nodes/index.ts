import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LocalCloud } from '../cloud';
import { commandEnvironment } from '../cloud/clients';
import type { Certificate } from '../etcd/certificates';
import { issueCertificate } from '../etcd/certificates';
import type { EtcdCredentials } from '../etcd/member';
import type { EtcdRelease } from '../tools';
import { etcdProgram } from '../tools';
import type { Address, Ports } from './addresses';
import { addressOf } from './addresses';
import { PRETENDED_VERSION, bindAdministrators, controlPlaneOn, kubernetesVersion } from './control-plane';
import { Kubelet } from './kubelet';
import { etcdManifest } from './manifests';
import { LocalNode } from './node';
import { installPrograms, makeTree } from './node-tree';
import type { Authorities } from './pki';
import { installPki, newAuthorities } from './pki';

export { LocalNode } from './node';

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
  /** Which members each API server knows: its own, as kubeadm has it, or all. @default 'own' */
  readonly etcdServers?: 'own' | 'all';
  /** @default 'free' */
  readonly ports?: Ports;
  /** What stands in front of the API servers, as clients reach it. @default - each API server for itself */
  readonly controlPlane?: { readonly host: string; readonly port: number };
  /** @default - { 'lifeboat/control-plane': 'demo' } */
  readonly tags?: Readonly<Record<string, string>>;
}

/** Control-plane nodes on this machine: a kubeadm-shaped tree each, and a supervisor that runs what its manifests say. */
export interface LocalNodes {
  readonly nodes: readonly LocalNode[];
  readonly endpoints: readonly string[];
  readonly credentials: EtcdCredentials;
  readonly authority: Certificate;
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
  const { cloud, count = 3, release = '3.6', tags = { 'lifeboat/control-plane': 'demo' }, controlPlane } = options;
  const real = options.kubernetes === 'real';
  if (process.platform !== 'linux') throw new Error(`local nodes need Linux, this is ${process.platform}: the node documents read /proc`);
  const folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-nodes-'));
  const authorities = newAuthorities();
  const credentials = { ca: authorities.etcd.cert, ...issueCertificate(authorities.etcd, { commonName: 'lifeboat', usage: 'client' }) };
  const addresses: Address[] = [];
  for (let index = 0; index < count; index++) addresses.push(await addressOf(index, options.ports ?? 'free'));
  const initialCluster = addresses.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
  const endpoints = addresses.map(({ clientUrl }) => clientUrl);
  const version = versionOf(release);
  const kubernetes = { real, controlPlane, version: real ? kubernetesVersion() : PRETENDED_VERSION };
  const nodes = addresses.map((address, index) => {
    const { name, host, clientUrl, peerUrl, apiPort } = address;
    const advertiseAddress = `192.0.2.${index + 1}`;
    const tree = makeTree(path.join(folder, name));
    const { pkiDir, dataDir, manifestDir, logDir } = tree;
    installPrograms(tree, release);
    installPki(tree, name, [host, 'localhost', name], authorities, [advertiseAddress, ...(controlPlane ? [controlPlane.host] : [])]);
    const etcdUrls = options.etcdServers === 'all' ? endpoints : [clientUrl];
    const { manifests, programs } = controlPlaneOn(tree, authorities, { ...kubernetes, address, advertiseAddress, etcdUrls });
    const etcd = etcdManifest({ name, clientUrl, peerUrl, dataDir, pkiDir, version, initialCluster });
    for (const [file, text] of Object.entries({ ...manifests, 'etcd.yaml': etcd }))
      writeFileSync(path.join(manifestDir, file), text, { mode: 0o600 });
    const files = new Map(Object.entries({ ...programs, etcd: etcdProgram(release, 'etcd') }));
    const kubelet = new Kubelet({ manifestDir, logDir, programOf: (program) => files.get(program) ?? program });
    kubelet.start();
    const environment = cloud === undefined ? {} : commandEnvironment(cloud.endpoint);
    const apiUrl = `https://${host}:${apiPort}`;
    return new LocalNode({
      name,
      host,
      clientUrl,
      peerUrl,
      apiUrl,
      tree,
      kubelet,
      credentials,
      environment,
      tags,
      nodesFile: cloud?.nodesFile,
    });
  });
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.remove()));
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await Promise.all(nodes.map((node) => node.ready()));
    if (real) await Promise.all(nodes.map((node) => node.apiserverReady()));
    if (real && nodes[0] !== undefined) await bindAdministrators(nodes[0]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { nodes, endpoints, credentials, authority: authorities.etcd, authorities, release, folder, initialCluster, stop };
}
