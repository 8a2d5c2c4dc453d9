import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Certificate } from '../etcd/certificates';
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

function writerInto({ pkiDir }: NodeTree) {
  const secret = (file: string, text: string) => writeFileSync(path.join(pkiDir, file), text, { mode: 0o600 });
  const pair = (file: string, { cert, key }: Certificate) => {
    writeFileSync(path.join(pkiDir, `${file}.crt`), cert);
    secret(`${file}.key`, key);
  };
  return { secret, pair };
}

/** What etcd, and whatever tells its health by kube-apiserver's port, reads. `apiHosts`: by what clients reach the API server, besides `hosts`. */
export function installPki(
  tree: NodeTree,
  name: string,
  hosts: readonly string[],
  authorities: Authorities,
  apiHosts: readonly string[] = [],
): void {
  const { pair } = writerInto(tree);
  writeFileSync(path.join(tree.pkiDir, 'etcd/ca.crt'), authorities.etcd.cert);
  writeFileSync(path.join(tree.pkiDir, 'ca.crt'), authorities.cluster.cert);
  for (const role of ['etcd/server', 'etcd/peer']) pair(role, issueCertificate(authorities.etcd, { commonName: name, hosts }));
  pair('apiserver-etcd-client', issueCertificate(authorities.etcd, { commonName: 'kube-apiserver-etcd-client', usage: 'client' }));
  const services = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', '10.96.0.1'];
  const allHosts = [...hosts, ...services, ...apiHosts];
  pair('apiserver', issueCertificate(authorities.cluster, { commonName: 'kube-apiserver', usage: 'server', hosts: allHosts }));
}

/** The rest of the tree, which a whole control plane reads; the authorities with their keys, as kubeadm leaves them on every node. */
export function installControlPlanePki(tree: NodeTree, { etcd, cluster, frontProxy, serviceAccounts }: Authorities): void {
  const { secret, pair } = writerInto(tree);
  pair('ca', cluster);
  pair('etcd/ca', etcd);
  pair('front-proxy-ca', frontProxy);
  pair('etcd/healthcheck-client', issueCertificate(etcd, { commonName: 'kube-etcd-healthcheck-client', usage: 'client' }));
  pair('front-proxy-client', issueCertificate(frontProxy, { commonName: 'front-proxy-client', usage: 'client' }));
  const kubeletClient = { commonName: 'kube-apiserver-kubelet-client', organization: 'kubeadm:cluster-admins', usage: 'client' } as const;
  pair('apiserver-kubelet-client', issueCertificate(cluster, kubeletClient));
  writeFileSync(path.join(tree.pkiDir, 'sa.pub'), serviceAccounts.publicKey);
  secret('sa.key', serviceAccounts.privateKey);
}
