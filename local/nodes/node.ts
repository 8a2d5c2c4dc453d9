import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { readyzOf } from '../../lambdas/kubernetes/readyz';
import { tailOf, waitUntil } from '../child-process';
import { isHealthy } from '../etcd/member';
import type { EtcdCredentials } from '../etcd/member';
import type { SetIssuer } from './certificate-set';
import type { Kubelet } from './kubelet';
import type { NodeTree } from './node-tree';
import type { NodeEntry } from './nodes-file';
import { writeNodeEntry } from './nodes-file';
import { Programs } from './programs';

const READY_WITHIN_MS = 60_000;
/** Several real API servers start at once on a small machine. */
const APISERVER_READY_WITHIN_MS = 180_000;

/** What a node may run, by the names of its pods. */
export type PodName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler';

export interface NodeOptions {
  readonly name: string;
  readonly host: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  /** Where an API server on it listens. */
  readonly apiUrl: string;
  readonly tree: NodeTree;
  readonly kubelet: Kubelet;
  /** Who makes certificates for it. */
  readonly issuer: SetIssuer;
  readonly credentials: EtcdCredentials;
  /** What commands see besides PATH and HOME. */
  readonly environment: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** Where the emulator of AWS finds its nodes; none without a cloud. */
  readonly nodesFile: string | undefined;
}

/** A control-plane node on this machine, and what can happen to it. */
export class LocalNode {
  readonly instanceId = `i-0${randomBytes(8).toString('hex')}`;
  readonly name: string;
  readonly host: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly apiUrl: string;
  readonly tree: NodeTree;
  readonly issuer: SetIssuer;
  private readonly entry: NodeEntry;
  private readonly programs: Programs;

  constructor(private readonly options: NodeOptions) {
    const { name, host, clientUrl, peerUrl, apiUrl, tree, issuer, environment, tags } = options;
    this.name = name;
    this.host = host;
    this.clientUrl = clientUrl;
    this.peerUrl = peerUrl;
    this.apiUrl = apiUrl;
    this.tree = tree;
    this.issuer = issuer;
    this.programs = new Programs(tree.binDir);
    const env = { PATH: `${tree.binDir}:/usr/bin:/bin`, HOME: tree.folder, LANG: 'C.UTF-8', ...environment };
    this.entry = {
      folder: tree.folder,
      address: host,
      runDir: tree.runDir,
      env,
      tags: { ...tags },
      online: true,
      powerCuts: 0,
      prefix: [],
    };
    this.register({});
  }

  /** The parameters of the node documents that say where things are here. */
  get paths(): { readonly manifestDir: string; readonly dataDir: string; readonly stateDir: string } {
    const { manifestDir, dataDir, stateDir } = this.tree;
    return { manifestDir, dataDir, stateDir };
  }

  /** The same of the documents for certificates. */
  get certificatePaths(): Readonly<Record<'manifestDir' | 'stateDir' | 'pkiDir' | 'kubeletDir' | 'podLogDir', string>> {
    const { manifestDir, stateDir, pkiDir, kubeletDir, podLogDir } = this.tree;
    return { manifestDir, stateDir, pkiDir, kubeletDir, podLogDir };
  }

  /** What it is tagged with, on AWS. */
  get tags(): Readonly<Record<string, string>> {
    return this.entry.tags;
  }

  /** What a command on this node has in its environment. */
  get env(): Readonly<Record<string, string>> {
    return this.entry.env;
  }

  /** Waits until its member serves linearizable reads. */
  ready(): Promise<void> {
    return this.orLog(
      'etcd',
      waitUntil(`etcd on ${this.name} gets healthy`, READY_WITHIN_MS, () => isHealthy(this.clientUrl, this.options.credentials)),
    );
  }

  /** Waits until its API server says that it is ready. */
  apiserverReady(): Promise<void> {
    return this.orLog(
      'kube-apiserver',
      waitUntil(`kube-apiserver on ${this.name} gets ready`, APISERVER_READY_WITHIN_MS, () => this.apiserverIsReady(), 200),
    );
  }

  /** Whether an API server answers `/readyz` with 200 on it. */
  apiserverIsReady(): Promise<boolean> {
    return readyzOf(this.apiUrl).then(
      (status) => status === 200,
      () => false,
    );
  }

  pid(pod: PodName): number | undefined {
    return this.options.kubelet.pid(pod);
  }

  /** Ends everything on it at once, a running command too, and starts what the manifests say. Its agent begins anew with the commands that ran. */
  async reboot(): Promise<void> {
    await this.powerOff();
    this.options.kubelet.start();
    this.register({ online: true });
  }

  /** Ends everything on it: its agent does not answer either. */
  async powerOff(): Promise<void> {
    this.register({ online: false, powerCuts: this.entry.powerCuts + 1 });
    for (const file of readdirSync(this.tree.runDir).filter((name) => name.endsWith('.pid')))
      killGroup(Number(readFileSync(path.join(this.tree.runDir, file), 'utf8')));
    await this.options.kubelet.kill();
  }

  /** Its kubelet sees no change of manifests any more; what runs stays. */
  pauseKubelet(): void {
    this.options.kubelet.pause();
  }

  resumeKubelet(): void {
    this.options.kubelet.start();
  }

  /** Waits until a command of Systems Manager runs on it. */
  commandRuns(): Promise<void> {
    return waitUntil(`a command runs on ${this.name}`, READY_WITHIN_MS, () =>
      Promise.resolve(readdirSync(this.tree.runDir).some((file) => file.endsWith('.pid'))),
    );
  }

  /** Its agent stops answering while all else goes on. */
  vanish(): void {
    this.register({ online: false });
  }

  comeBack(): void {
    this.register({ online: true });
  }

  /** From now on its commands run this bash script in the place of a program, or do not find it when there is no script. */
  breakProgram(name: string, script?: string): void {
    this.programs.change(name, script);
  }

  repairPrograms(): void {
    this.programs.repair();
  }

  register(change: Partial<Pick<NodeEntry, 'env' | 'online' | 'powerCuts' | 'prefix' | 'secondsLimit'>>): void {
    Object.assign(this.entry, change);
    if (this.options.nodesFile !== undefined) writeNodeEntry(this.options.nodesFile, this.instanceId, this.entry);
  }

  /** From now on no command can write a file larger than this, as on a disk that is nearly full. */
  limitFileSize(bytes: number): void {
    // Ignored, the signal of the limit turns into an error of the write.
    this.register({ prefix: ['/bin/bash', '-c', `trap '' XFSZ; exec prlimit --fsize=${bytes} "$@"`, 'limited'] });
  }

  /**
   * From now on this bash script runs before every command of one kind, and decides what becomes of it: `exec "$@"` runs it, `exit` ends it.
   * Its variable `count` says for which time the command runs.
   *
   * @param what only with this LIFEBOAT_WHAT
   */
  interfere(command: string, script: string, what?: string): void {
    const counter = path.join(this.tree.folder, `interfered-${command}`);
    rmSync(counter, { force: true });
    const asked = [`export LIFEBOAT_COMMAND='${command}'`, ...(what === undefined ? [] : [`export LIFEBOAT_WHAT='${what}'`])];
    const matches = asked
      .map((line) => `grep -qxF -- ${quoted(line)} "\${@: -1}"`)
      .join(' && ')
      .replaceAll('\\$', '$');
    const counts = `count=$(($(cat ${counter} 2>/dev/null || echo 0) + 1)); echo $count >${counter}`;
    this.register({ prefix: ['/bin/bash', '-c', `if ${matches}; then ${counts}; ${script}; fi; exec "$@"`, 'interfered'] });
  }

  /** Waits until something has made a file in the folder of the node, and takes it away. */
  async reached(file: string): Promise<void> {
    const full = path.join(this.tree.folder, file);
    await waitUntil(`${this.name} makes ${file}`, READY_WITHIN_MS, () => Promise.resolve(existsSync(full)), 20);
    rmSync(full, { force: true });
  }

  /** Nothing comes before commands any more, and every program is the real one. */
  heal(): void {
    this.register({ prefix: [], secondsLimit: undefined });
    this.repairPrograms();
  }

  /** From now on every command starts so much later. */
  slowDown(seconds: number): void {
    this.register({ prefix: ['/bin/bash', '-c', `sleep ${seconds}; exec "$@"`, 'slow'] });
  }

  private orLog(pod: PodName, waiting: Promise<void>): Promise<void> {
    return waiting.catch((error: unknown) => {
      throw new Error(`${String(error)}; its log says:\n${tailOf(path.join(this.tree.logDir, `${pod}.log`), 10)}`);
    });
  }

  async remove(): Promise<void> {
    await this.powerOff();
    if (this.options.nodesFile !== undefined) writeNodeEntry(this.options.nodesFile, this.instanceId, undefined);
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'"'"'`)}'`;

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // It ended by itself just now.
  }
}
