import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NodeCommandName } from '../../../lambdas/contract/node-commands';
import { apiserverManifest, etcdManifest } from '../../../local/nodes/manifests';
import { etcdProgram } from '../../../local/tools';
import type { Outcome, Values } from '../../support/node-script';
import { failure, runScript, succeeded } from '../../support/node-script';
import { snapshotOnDisk } from './staged-node';

/** Folders with the manifest of an etcd, of which nothing runs; what the documents call can be put in the place of the real programs. */
export class StillNode {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-member-'));
  readonly manifestDir = path.join(this.folder, 'manifests');
  readonly dataDir = path.join(this.folder, 'data');
  readonly stateDir = path.join(this.folder, 'state');
  private readonly bin = path.join(this.folder, 'bin');
  readonly env: Values = { PATH: `${this.bin}:${path.dirname(etcdProgram('3.6', 'etcdutl'))}:/usr/bin:/bin`, HOME: this.folder };
  values: Values = { manifestDir: this.manifestDir, dataDir: this.dataDir, stateDir: this.stateDir, restoreId: 'r1', waitSeconds: '10' };

  constructor() {
    for (const each of [this.manifestDir, this.dataDir, this.stateDir, this.bin]) mkdirSync(each);
  }

  manifest(): string {
    return etcdManifest({
      name: 'master-1',
      clientUrl: 'https://127.0.1.9:2379',
      peerUrl: 'https://127.0.1.9:2380',
      dataDir: this.dataDir,
      pkiDir: '/etc/kubernetes/pki',
      version: '3.6.16',
      initialCluster: 'master-1=https://127.0.1.9:2380',
    });
  }

  /** Of an API server at an address of its own: without a manifest every one that runs on this machine would count. */
  apiserverManifest(): string {
    const place = { advertiseAddress: '192.0.2.9', bindAddress: '127.0.1.9', port: 6444 };
    return apiserverManifest({ ...place, etcdUrls: ['https://127.0.1.9:2379'], version: '1.37.2', pkiDir: '/etc/kubernetes/pki' });
  }

  write(text: string, file = 'etcd.yaml'): void {
    writeFileSync(path.join(this.manifestDir, file), text);
  }

  install(name: string, body: string): string {
    const program = path.join(this.bin, name);
    writeFileSync(program, `#!/bin/bash\n${body}\n`, { mode: 0o755 });
    return program;
  }

  /** From now on there is a snapshot to restore. */
  async offerSnapshot(): Promise<void> {
    const { file, parameters } = await snapshotOnDisk(this.folder, '3.6');
    this.install('aws', `exec cp ${file} "\${@: -1}"`);
    const restore = { clusterToken: 't', bumpRevision: '0', initialCluster: 'master-1=https://127.0.1.9:2380' };
    this.values = { ...this.values, ...parameters, ...restore };
  }

  run(command: NodeCommandName, env: Values = {}): Promise<Outcome> {
    return runScript(command, this.values, { ...this.env, ...env });
  }

  async do<C extends NodeCommandName>(command: C): Promise<ReturnType<typeof succeeded<C>>> {
    return succeeded(command, await this.run(command));
  }

  async refusal(command: NodeCommandName, env: Values = {}): Promise<ReturnType<typeof failure>> {
    return failure(await this.run(command, env));
  }

  /** A process that the documents take for this node's etcd, for some seconds: where to start it, and its words. */
  get etcd(): { readonly program: string; readonly words: readonly string[] } {
    return { program: this.install('etcd', 'sleep 3'), words: ['--name=master-1', `--data-dir=${this.dataDir}`] };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const textOf = (file: string): string => readFileSync(file, 'utf8');
