import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { LocalCloud } from '../cloud';
import { commandEnvironment } from '../cloud/clients';
import { issueCertificate } from '../etcd/certificates';
import type { EtcdCredentials } from '../etcd/member';
import { freePort } from '../free-port';
import type { EtcdRelease } from '../tools';
import { etcdProgram, pythonPath } from '../tools';
import { Kubelet } from './kubelet';
import { apiserverManifest, etcdManifest } from './manifests';
import { LocalNode } from './node';
import type { Authorities, NodeTree } from './node-tree';
import { installPki, installPrograms, makeTree, newAuthorities } from './node-tree';

export { LocalNode } from './node';

export interface LocalNodesOptions {
  /** The cloud whose Systems Manager reaches them. @default - none */
  readonly cloud?: Pick<LocalCloud, 'endpoint' | 'nodesFile'>;
  /** @default 3 */
  readonly count?: number;
  /** @default '3.6' */
  readonly release?: EtcdRelease;
  /**
   * Whether API servers run on them: real ones from LIFEBOAT_K8S_BIN, or else programs that tell by /readyz whether their etcd is healthy.
   *
   * @default true
   */
  readonly apiserver?: boolean;
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

interface Address {
  readonly name: string;
  readonly host: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly apiPort: number;
}

async function addressOf(number: number): Promise<Address> {
  const host = `127.0.1.${number}`;
  const url = async () => `https://${host}:${await freePort(host)}`;
  return { name: `master-${number}`, host, clientUrl: await url(), peerUrl: await url(), apiPort: await freePort(host) };
}

const versionOf = (release: EtcdRelease): string =>
  /etcd Version: (\S+)/.exec(execFileSync(etcdProgram(release, 'etcd'), ['--version'], { encoding: 'utf8' }))?.[1] ?? release;

/** The real one when the user has it. A script is named by its file in the process table, as a program is. */
function apiserverProgram({ folder }: NodeTree): string {
  const real = path.join(process.env['LIFEBOAT_K8S_BIN'] ?? '', 'kube-apiserver');
  if (process.env['LIFEBOAT_K8S_BIN'] !== undefined && existsSync(real)) return real;
  const pretended = path.join(folder, 'kube-apiserver');
  writeFileSync(pretended, `#!${pythonPath()}\n${readFileSync(path.join(__dirname, 'pretend-apiserver.py'), 'utf8')}`);
  chmodSync(pretended, 0o755);
  return pretended;
}

/** Starts the nodes and waits until every member serves. Everything lies in a temporary folder that `stop` deletes. */
export async function startLocalNodes(options: LocalNodesOptions = {}): Promise<LocalNodes> {
  const { cloud, count = 3, release = '3.6', apiserver = true, tags = { 'lifeboat/control-plane': 'demo' }, beside } = options;
  if (process.platform !== 'linux') throw new Error(`local nodes need Linux, this is ${process.platform}: the node documents read /proc`);
  const folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-nodes-'));
  const authorities = beside?.authorities ?? newAuthorities();
  const first = 1 + (beside?.nodes.length ?? 0);
  const credentials = { ca: authorities.etcd.cert, ...issueCertificate(authorities.etcd, { commonName: 'lifeboat', usage: 'client' }) };
  const addresses: Address[] = [];
  for (let index = 0; index < count; index++) addresses.push(await addressOf(first + index));
  const initialCluster = addresses.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
  const version = versionOf(release);
  const nodes = addresses.map((address, index) => {
    const { name, host, clientUrl, peerUrl, apiPort } = address;
    const tree = makeTree(path.join(folder, name));
    const { pkiDir, dataDir, manifestDir, logDir } = tree;
    installPrograms(tree, release);
    installPki(tree, name, [host, 'localhost', name], authorities);
    const write = (file: string, text: string) => writeFileSync(path.join(manifestDir, file), text, { mode: 0o600 });
    write('etcd.yaml', etcdManifest({ name, clientUrl, peerUrl, dataDir, pkiDir, version, initialCluster }));
    const advertiseAddress = `192.0.2.${first + index}`;
    if (apiserver)
      write('kube-apiserver.yaml', apiserverManifest({ advertiseAddress, bindAddress: host, port: apiPort, etcdUrl: clientUrl, pkiDir }));
    const programs: Readonly<Record<string, string>> = {
      etcd: etcdProgram(release, 'etcd'),
      ...(apiserver && { 'kube-apiserver': apiserverProgram(tree) }),
    };
    const kubelet = new Kubelet({ manifestDir, logDir, programOf: (program) => programs[program] ?? program });
    kubelet.start();
    const environment = cloud === undefined ? {} : commandEnvironment(cloud.endpoint);
    const nodesFile = cloud?.nodesFile;
    const apiUrl = `https://${host}:${apiPort}`;
    return new LocalNode({ name, host, clientUrl, peerUrl, apiUrl, tree, kubelet, credentials, environment, tags, nodesFile });
  });
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.remove()));
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await Promise.all(nodes.map((node) => node.ready()));
  } catch (error) {
    await stop();
    throw error;
  }
  const endpoints = nodes.map(({ clientUrl }) => clientUrl);
  return { nodes, endpoints, credentials, authorities, release, folder, initialCluster, stop };
}
