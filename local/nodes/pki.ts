import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Certificate, CertificateOptions } from '../etcd/certificates';
import { createAuthority, issueCertificate } from '../etcd/certificates';
import type { NodeTree } from './node-tree';

// kubeadm's tree of certificates (cmd/kubeadm/app/phases/certs/certlist.go).

export interface Authorities {
  readonly etcd: Certificate;
  readonly cluster: Certificate;
  readonly frontProxy: Certificate;
  readonly serviceAccounts: { readonly publicKey: string; readonly privateKey: string };
}

export function newAuthorities(): Authorities {
  const serviceAccounts = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return {
    etcd: createAuthority('etcd-ca'),
    cluster: createAuthority('kubernetes'),
    frontProxy: createAuthority('front-proxy-ca'),
    serviceAccounts,
  };
}

export type LeafName =
  | 'apiserver'
  | 'apiserver-kubelet-client'
  | 'apiserver-etcd-client'
  | 'front-proxy-client'
  | 'etcd/server'
  | 'etcd/peer'
  | 'etcd/healthcheck-client';

/** For whom the certificates of one node are. */
export interface LeafSubjects {
  readonly name: string;
  /** Its addresses and names, and by what else clients reach its API server. */
  readonly hosts: readonly string[];
  readonly apiHosts: readonly string[];
}

const SERVICES = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', '10.96.0.1'];

/** One of kubeadm's leaves. */
export function issueLeaf(
  leaf: LeafName,
  { etcd, cluster, frontProxy }: Authorities,
  { name, hosts, apiHosts }: LeafSubjects,
  validity: Pick<CertificateOptions, 'notBefore' | 'notAfter'> = {},
): Certificate {
  const client = (commonName: string) => ({ commonName, usage: 'client', ...validity }) as const;
  switch (leaf) {
    case 'apiserver': {
      const allHosts = [...hosts, ...SERVICES, ...apiHosts];
      return issueCertificate(cluster, { commonName: 'kube-apiserver', usage: 'server', hosts: allHosts, ...validity });
    }
    case 'apiserver-kubelet-client':
      return issueCertificate(cluster, { ...client('kube-apiserver-kubelet-client'), organization: 'kubeadm:cluster-admins' });
    case 'apiserver-etcd-client':
      return issueCertificate(etcd, client('kube-apiserver-etcd-client'));
    case 'front-proxy-client':
      return issueCertificate(frontProxy, client('front-proxy-client'));
    case 'etcd/server':
    case 'etcd/peer':
      return issueCertificate(etcd, { commonName: name, hosts, ...validity });
    case 'etcd/healthcheck-client':
      return issueCertificate(etcd, client('kube-etcd-healthcheck-client'));
  }
}

function writerInto({ pkiDir }: NodeTree) {
  const secret = (file: string, text: string) => writeFileSync(path.join(pkiDir, file), text, { mode: 0o600 });
  const pair = (file: string, { cert, key }: Certificate) => {
    writeFileSync(path.join(pkiDir, `${file}.crt`), cert);
    secret(`${file}.key`, key);
  };
  return { secret, pair };
}

/** What etcd, and whatever tells its health by kube-apiserver's port, reads. */
export function installPki(tree: NodeTree, authorities: Authorities, subjects: LeafSubjects): void {
  const { pair } = writerInto(tree);
  writeFileSync(path.join(tree.pkiDir, 'etcd/ca.crt'), authorities.etcd.cert);
  writeFileSync(path.join(tree.pkiDir, 'ca.crt'), authorities.cluster.cert);
  for (const leaf of ['etcd/server', 'etcd/peer', 'apiserver-etcd-client', 'apiserver'] as const)
    pair(leaf, issueLeaf(leaf, authorities, subjects));
}

/** The rest of the tree, which a whole control plane reads; the authorities with their keys, as kubeadm leaves them on every node. */
export function installControlPlanePki(tree: NodeTree, authorities: Authorities, subjects: LeafSubjects): void {
  const { secret, pair } = writerInto(tree);
  pair('ca', authorities.cluster);
  pair('etcd/ca', authorities.etcd);
  pair('front-proxy-ca', authorities.frontProxy);
  for (const leaf of ['etcd/healthcheck-client', 'front-proxy-client', 'apiserver-kubelet-client'] as const)
    pair(leaf, issueLeaf(leaf, authorities, subjects));
  writeFileSync(path.join(tree.pkiDir, 'sa.pub'), authorities.serviceAccounts.publicKey);
  secret('sa.key', authorities.serviceAccounts.privateKey);
}
