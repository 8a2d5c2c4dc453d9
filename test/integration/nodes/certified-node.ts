import { execFileSync } from 'node:child_process';
import { X509Certificate, createHash } from 'node:crypto';
import { lstatSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { connect } from 'node:tls';
import type { NodeCommandName } from '../../../lambdas/contract/node-commands';
import type { CertificateSet, LocalNode } from '../../../local/nodes';
import type { Outcome, Values } from '../../support/node-script';
import { failure, runScript, succeeded } from '../../support/node-script';

/** A node with the whole tree of kubeadm, and what its secret holds: the command line of AWS gives it from files. */
export class CertifiedNode {
  private versions = 0;

  constructor(readonly node: LocalNode) {}

  /** Puts a set into the secret; the parameters by which it is installed. */
  offer(set: CertificateSet): Values {
    const secretVersion = createHash('md5').update(`${this.node.instanceId} ${++this.versions}`).digest('hex');
    writeFileSync(path.join(this.node.tree.folder, `secret-${secretVersion}`), set.secret);
    this.node.breakProgram(
      'aws',
      `while [ $# -gt 0 ]; do if [ "$1" = --version-id ]; then version=$2; fi; shift; done\nexec cat ${this.node.tree.folder}/secret-$version`,
    );
    return { secretVersion, setSha256: set.sha256 };
  }

  valuesOf(change: Values = {}): Values {
    return { ...this.node.certificatePaths, secretId: 'lifeboat/demo/pki/nodes/i-1', waitSeconds: '15', ...change };
  }

  run(command: NodeCommandName, change: Values = {}): Promise<Outcome> {
    return runScript(command, this.valuesOf(change), this.node.env);
  }

  async do<C extends NodeCommandName>(command: C, change: Values = {}): Promise<ReturnType<typeof succeeded<C>>> {
    return succeeded(command, await this.run(command, change));
  }

  async refusal(command: NodeCommandName, change: Values = {}): Promise<ReturnType<typeof failure>> {
    return failure(await this.run(command, change));
  }

  /** Offers a set and installs it. */
  async install(set: CertificateSet, change: Values = {}) {
    return this.do('install-certificates', { ...this.offer(set), ...change });
  }

  file(name: string): string {
    return path.join(this.node.tree.kubernetesDir, name);
  }

  read(name: string): string {
    return readFileSync(this.file(name), 'utf8');
  }

  fingerprintOf(leaf: string): string {
    return fingerprint(new X509Certificate(this.read(`pki/${leaf}.crt`)));
  }

  /** Every file of the tree with its mode and content, to be compared as a whole. */
  tree(): Readonly<Record<string, string>> {
    const names = readdirSync(this.node.tree.kubernetesDir, { recursive: true, encoding: 'utf8' }).filter(
      (name) => !name.startsWith('manifests'),
    );
    const files = names.filter((name) => lstatSync(this.file(name)).isFile()).sort();
    return Object.fromEntries(
      files.map((name) => [
        name,
        `${(lstatSync(this.file(name)).mode & 0o777).toString(8)} ${createHash('sha256').update(this.read(name)).digest('hex')}`,
      ]),
    );
  }

  /** What of the value of a secret lies about after a document. */
  leftovers(): string[] {
    const { stateDir } = this.node.tree;
    const [number = ''] = execFileSync('cksum', { input: `${stateDir}\n`, encoding: 'utf8' }).split(' ');
    return ['/dev/shm', stateDir].flatMap((folder) => readdirSync(folder)).filter((name) => name.startsWith(`lifeboat-keys-${number}.`));
  }

  /** What a new connection to the API server is given. */
  async servedByApi(): Promise<string> {
    const { hostname, port } = new URL(this.node.apiUrl);
    const served = await servedAt(hostname, Number(port));
    if (served === undefined) throw new Error(`${this.node.apiUrl} gives no certificate`);
    return served;
  }

  servedByEtcd(url: string): Promise<string | undefined> {
    const { hostname, port } = new URL(url);
    const pair = { cert: this.read('pki/etcd/healthcheck-client.crt'), key: this.read('pki/etcd/healthcheck-client.key') };
    return servedAt(hostname, Number(port), pair);
  }
}

const fingerprint = (certificate: Pick<X509Certificate, 'raw'>): string => createHash('sha256').update(certificate.raw).digest('hex');

function servedAt(host: string, port: number, pair: { readonly cert?: string; readonly key?: string } = {}): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, rejectUnauthorized: false, ...pair }, () => {
      const { raw } = socket.getPeerCertificate();
      socket.destroy();
      resolve(fingerprint({ raw }));
    });
    socket.once('error', reject);
  });
}

/** The files in an archive of facts or of a secret. */
export function filesIn(archive: Buffer): Readonly<Record<string, string>> {
  const options = { input: archive, encoding: 'utf8' } as const;
  const names = execFileSync('tar', ['-tz'], options).split('\n').filter(Boolean);
  return Object.fromEntries(names.map((name) => [name, execFileSync('tar', ['-xzO', '--', name], options)]));
}
