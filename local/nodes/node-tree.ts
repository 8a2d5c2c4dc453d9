import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Certificate } from '../etcd/certificates';
import { createAuthority, issueCertificate } from '../etcd/certificates';
import type { EtcdRelease } from '../tools';
import { etcdProgram, pythonPath } from '../tools';

/** The folders of a node, as kubeadm names them, below a folder of its own. */
export interface NodeTree {
  readonly folder: string;
  readonly manifestDir: string;
  readonly pkiDir: string;
  readonly dataDir: string;
  readonly stateDir: string;
  /** The first folder on PATH of whatever runs on the node. */
  readonly binDir: string;
  readonly logDir: string;
  /** Has a file for each command that runs now, with the id of its process group. */
  readonly runDir: string;
}

export function makeTree(folder: string): NodeTree {
  const tree = {
    folder,
    manifestDir: path.join(folder, 'etc/kubernetes/manifests'),
    pkiDir: path.join(folder, 'etc/kubernetes/pki'),
    dataDir: path.join(folder, 'var/lib/etcd'),
    stateDir: path.join(folder, 'var/lib/kube-lifeboat'),
    binDir: path.join(folder, 'bin'),
    logDir: path.join(folder, 'var/log'),
    runDir: path.join(folder, 'run'),
  };
  for (const each of [tree.manifestDir, path.join(tree.pkiDir, 'etcd'), tree.binDir, tree.logDir, tree.runDir])
    mkdirSync(each, { recursive: true });
  mkdirSync(tree.dataDir, { recursive: true, mode: 0o700 });
  return tree;
}

/** The programs that an operator is expected to have on a node. */
export function installPrograms({ binDir }: NodeTree, release: EtcdRelease): void {
  symlinkSync(etcdProgram(release, 'etcdutl'), path.join(binDir, 'etcdutl'));
  symlinkSync(path.join(path.dirname(pythonPath()), 'aws'), path.join(binDir, 'aws'));
}

export interface Authorities {
  readonly etcd: Certificate;
  readonly cluster: Certificate;
  readonly serviceAccounts: { readonly publicKey: string; readonly privateKey: string };
}

export function newAuthorities(): Authorities {
  const serviceAccounts = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return { etcd: createAuthority('etcd-ca'), cluster: createAuthority('kubernetes'), serviceAccounts };
}

/** kubeadm's files, as far as etcd and kube-apiserver read them. */
export function installPki({ pkiDir }: NodeTree, name: string, hosts: readonly string[], authorities: Authorities): void {
  const secret = (file: string, text: string) => writeFileSync(path.join(pkiDir, file), text, { mode: 0o600 });
  const pair = (file: string, { cert, key }: Certificate) => {
    writeFileSync(path.join(pkiDir, `${file}.crt`), cert);
    secret(`${file}.key`, key);
  };
  writeFileSync(path.join(pkiDir, 'etcd/ca.crt'), authorities.etcd.cert);
  writeFileSync(path.join(pkiDir, 'ca.crt'), authorities.cluster.cert);
  for (const role of ['etcd/server', 'etcd/peer']) pair(role, issueCertificate(authorities.etcd, { commonName: name, hosts }));
  pair('apiserver-etcd-client', issueCertificate(authorities.etcd, { commonName: 'kube-apiserver-etcd-client', usage: 'client' }));
  pair('apiserver', issueCertificate(authorities.cluster, { commonName: 'kube-apiserver', hosts: [...hosts, 'kubernetes', '10.96.0.1'] }));
  writeFileSync(path.join(pkiDir, 'sa.pub'), authorities.serviceAccounts.publicKey);
  secret('sa.key', authorities.serviceAccounts.privateKey);
}
