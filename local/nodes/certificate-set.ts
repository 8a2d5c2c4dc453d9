import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CertificateOptions } from '../etcd/certificates';
import { issueKubeconfig, kubeconfigNames } from './kubeconfigs';
import type { KubeconfigName } from './kubeconfigs';
import { embeddingKubeletConf } from './kubelet-pki';
import type { Authorities, LeafName, LeafSubjects } from './pki';
import { issueLeaf } from './pki';

const LEAVES: readonly LeafName[] = [
  'apiserver',
  'apiserver-kubelet-client',
  'apiserver-etcd-client',
  'front-proxy-client',
  'etcd/server',
  'etcd/peer',
  'etcd/healthcheck-client',
];

export interface SetOptions extends Pick<CertificateOptions, 'notBefore' | 'notAfter'> {
  /** @default - all of kubeadm's */
  readonly leaves?: readonly LeafName[];
  /** @default - all of kubeadm's but kubelet.conf */
  readonly kubeconfigs?: readonly (KubeconfigName | 'kubelet.conf')[];
  /** Whose certificates these are. @default - the authorities of the node */
  readonly authorities?: Authorities;
}

/** The files of a set by their paths in it, as PEM and YAML texts. */
export type SetFiles = Readonly<Record<string, string>>;

export interface CertificateSet {
  readonly files: SetFiles;
  /** tar.gz of them. */
  readonly archive: Buffer;
  readonly sha256: string;
  /** The value of the secret. */
  readonly secret: string;
}

/** Makes an archive of any files. */
export function packSet(files: SetFiles): CertificateSet {
  const folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-set-'));
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      writeFileSync(path.join(folder, file), text, { mode: 0o600 });
    }
    const archive = execFileSync('tar', ['-C', folder, '-czf', '-', '--', ...Object.keys(files)]);
    return setOf(archive, files);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function setOf(archive: Buffer, files: SetFiles = {}): CertificateSet {
  const sha256 = createHash('sha256').update(archive).digest('hex');
  return { files, archive, sha256, secret: JSON.stringify({ version: 1, archive: archive.toString('base64') }) };
}

/** Makes new certificates for one node, as the functions do it. */
export class SetIssuer {
  constructor(
    private readonly authorities: Authorities,
    private readonly subjects: LeafSubjects,
    private readonly urls: { readonly apiUrl: string; readonly controlPlaneUrl: string },
  ) {}

  files({ leaves = LEAVES, kubeconfigs = kubeconfigNames, authorities = this.authorities, ...validity }: SetOptions = {}): SetFiles {
    const options = { authority: authorities.cluster, ...this.urls };
    const files: Record<string, string> = {};
    for (const leaf of leaves) {
      const { cert, key } = issueLeaf(leaf, authorities, this.subjects, validity);
      files[`pki/${leaf}.crt`] = cert;
      files[`pki/${leaf}.key`] = key;
    }
    for (const file of kubeconfigs)
      files[`kubeconfigs/${file}`] =
        file === 'kubelet.conf' ? embeddingKubeletConf(this.subjects.name, options, validity) : issueKubeconfig(file, options, validity);
    return files;
  }

  issue(options: SetOptions = {}): CertificateSet {
    return packSet(this.files(options));
  }
}
