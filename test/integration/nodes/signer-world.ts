import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { waitUntil } from '../../../local/child-process';
import type { LocalNode } from '../../../local/nodes';
import { CertifiedNode } from './certified-node';

const MANIFEST = 'kube-controller-manager.yaml';
const PROGRAM = 'kube-controller-manager';
const STAYS_MS = 1_500;
/** Signal 15 is bit 14 (proc(5)). */
const SIGTERM_BIT = 1n << 14n;

/** A node whose controller-manager signs by the files of kubeadm, and can be brought back to that. */
export class SignerNode extends CertifiedNode {
  readonly manifestFile: string;
  /** As kubeadm writes it. */
  readonly manifest: string;
  /** The same with a signer of its own. */
  readonly splitManifest: string;
  private readonly certificate = this.read('pki/ca.crt');
  private readonly key = this.read('pki/ca.key');
  private readonly program: string;

  constructor(node: LocalNode) {
    super(node);
    this.manifestFile = path.join(node.tree.manifestDir, MANIFEST);
    this.manifest = readFileSync(this.manifestFile, 'utf8');
    const { pkiDir } = node.tree;
    this.splitManifest = this.manifest
      .replace(`--cluster-signing-cert-file=${pkiDir}/ca.crt`, `--cluster-signing-cert-file=${pkiDir}/signer/ca.crt`)
      .replace(`--cluster-signing-key-file=${pkiDir}/ca.key`, `--cluster-signing-key-file=${pkiDir}/signer/ca.key`);
    this.program = readFileSync(path.join(node.tree.folder, PROGRAM), 'utf8');
  }

  /** As kubeadm left it. */
  async reset(): Promise<void> {
    this.node.heal();
    this.node.resumeKubelet();
    this.changeProgram(this.program);
    rmSync(this.file('pki/signer'), { recursive: true, force: true });
    rmSync(this.record, { recursive: true, force: true });
    writeFileSync(this.file('pki/ca.crt'), this.certificate);
    writeFileSync(this.file('pki/ca.key'), this.key);
    this.writeManifest(this.manifest);
    await this.managerSignsBy('pki/ca.crt');
  }

  get record(): string {
    return path.join(this.node.tree.stateDir, 'signer');
  }

  writeManifest(text: string): void {
    if (existsSync(this.manifestFile) && readFileSync(this.manifestFile, 'utf8') === text) return;
    const aside = path.join(this.node.tree.manifestDir, '.aside');
    writeFileSync(aside, text, { mode: 0o600 });
    renameSync(aside, this.manifestFile);
  }

  /** A folder with another manifest of the controller-manager, or none, which no kubelet reads. */
  otherManifests(text?: string): string {
    const folder = mkdtempSync(path.join(this.node.tree.folder, 'other-'));
    if (text !== undefined) writeFileSync(path.join(folder, MANIFEST), text);
    return folder;
  }

  /** From now on the controller-manager ends at once that is told of files in pki/signer. */
  refuseOwnFiles(): void {
    this.changeProgram(
      this.program.replace('\n', '\nimport sys\nif any("pki/signer/" in word for word in sys.argv):\n    sys.exit("no such file")\n'),
    );
  }

  /** From now on it ends at once, whatever it is told. */
  refuseEverything(): void {
    this.changeProgram(this.program.replace('\n', '\nimport sys\nsys.exit("broken")\n'));
  }

  repairProgram(): void {
    this.changeProgram(this.program);
  }

  private changeProgram(text: string): void {
    const file = path.join(this.node.tree.folder, PROGRAM);
    if (readFileSync(file, 'utf8') === text) return;
    writeFileSync(`${file}.part`, text);
    chmodSync(`${file}.part`, 0o755);
    renameSync(`${file}.part`, file);
  }

  /** The file that it was told of at its start; undefined when it does not run, or has not read its program yet. */
  signingFile(): string | undefined {
    const pid = this.node.pid(PROGRAM);
    if (pid === undefined || !catchesSigterm(pid)) return undefined;
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.find((word) => word.startsWith('--cluster-signing-cert-file='))?.replace(/^.*=/, '');
  }

  managerSignsBy(file: string): Promise<void> {
    return waitUntil(`the controller-manager signs by ${file}`, 30_000, () => Promise.resolve(this.signingFile() === this.file(file)));
  }

  /** Waits until it has ended; its kubelet starts it again. */
  async endManager(): Promise<void> {
    const pid = this.node.pid(PROGRAM);
    if (pid === undefined) throw new Error('no controller-manager runs on this node');
    process.kill(pid);
    await waitUntil('the controller-manager ends', 10_000, () => Promise.resolve(this.node.pid(PROGRAM) !== pid));
  }

  /** The same process for longer than one needs that cannot use its files. */
  async managerStays(): Promise<void> {
    let [pid, since] = [this.node.pid(PROGRAM), Date.now()];
    await waitUntil('the controller-manager stays', 20_000, () => {
      if (this.node.pid(PROGRAM) !== pid) [pid, since] = [this.node.pid(PROGRAM), Date.now()];
      return Promise.resolve(pid !== undefined && Date.now() - since > STAYS_MS);
    });
  }

  /** What it said before it ended. */
  managerLog(): string {
    return readFileSync(path.join(this.node.tree.logDir, `${PROGRAM}.log`), 'utf8');
  }

  /** What lies in the folder of the manifests, as a kubelet sees it. */
  visibleManifests(): Readonly<Record<string, string>> {
    const { manifestDir } = this.node.tree;
    const names = readdirSync(manifestDir).filter((name) => !name.startsWith('.'));
    return Object.fromEntries(names.map((name) => [name, readFileSync(path.join(manifestDir, name), 'utf8')]));
  }

  /** Everything that a refusal must leave as it was. */
  everything(): unknown {
    return {
      tree: this.tree(),
      manifests: this.visibleManifests(),
      manager: this.node.pid(PROGRAM),
      mode: statSync(this.manifestFile).mode,
    };
  }

  /** Of a run that was cut off. */
  override leftovers(): string[] {
    const folders = [this.node.tree.manifestDir, this.file('pki'), this.file('pki/signer'), this.record].filter((folder) =>
      existsSync(folder),
    );
    const lying = folders
      .flatMap((folder) => readdirSync(folder))
      .filter((name) => /^\.lifeboat|\.part$|^under-way$|^going-back$/.test(name));
    return [...super.leftovers(), ...lying];
  }

  /** As while a restore has stopped etcd on it. */
  keepByRestore(): () => void {
    const folder = path.join(this.node.tree.stateDir, 'restores/r1/manifests');
    mkdirSync(folder, { recursive: true });
    const kept = path.join(folder, 'kube-apiserver.yaml');
    writeFileSync(kept, 'x');
    return () => rmSync(path.join(this.node.tree.stateDir, 'restores'), { recursive: true });
  }
}

/** Which it does in its first lines, and the wrapper that starts it never. */
function catchesSigterm(pid: number): boolean {
  try {
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
    return (BigInt(`0x${caught}`) & SIGTERM_BIT) !== 0n;
  } catch {
    return false;
  }
}
