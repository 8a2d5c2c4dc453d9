import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import type { Certificate, CertificateOptions } from '../etcd/certificates';
import { issueCertificate } from '../etcd/certificates';
import type { KubeconfigOptions } from './kubeconfigs';
import { kubeconfig } from './kubeconfigs';
import type { NodeTree } from './node-tree';

export function issueKubeletPair(
  authority: Certificate,
  node: string,
  validity: Pick<CertificateOptions, 'notBefore' | 'notAfter'> = {},
): Certificate {
  return issueCertificate(authority, { commonName: `system:node:${node}`, organization: 'system:nodes', usage: 'client', ...validity });
}

/** What lies on a node of whose kubelet got its certificate from the cluster: a file with certificate and key, and a kubeconfig that names it. */
export function installKubelet(
  { kubernetesDir, kubeletDir }: NodeTree,
  node: string,
  { authority, controlPlaneUrl }: KubeconfigOptions,
): void {
  const pkiDir = path.join(kubeletDir, 'pki');
  mkdirSync(pkiDir, { recursive: true });
  const { cert, key } = issueKubeletPair(authority, node);
  const dated = path.join(pkiDir, 'kubelet-client-2026-11-23-18-28-15.pem');
  writeFileSync(dated, cert + key, { mode: 0o600 });
  const current = path.join(pkiDir, 'kubelet-client-current.pem');
  symlinkSync(dated, current);
  const text = stringify({
    apiVersion: 'v1',
    clusters: [
      {
        cluster: { 'certificate-authority-data': Buffer.from(authority.cert).toString('base64'), server: controlPlaneUrl },
        name: 'kubernetes',
      },
    ],
    contexts: [{ context: { cluster: 'kubernetes', namespace: 'default', user: 'default-auth' }, name: 'default-context' }],
    'current-context': 'default-context',
    kind: 'Config',
    users: [{ name: 'default-auth', user: { 'client-certificate': current, 'client-key': current } }],
  });
  writeFileSync(path.join(kubernetesDir, 'kubelet.conf'), text, { mode: 0o600 });
}

/** kubelet.conf as `kubeadm init` wrote it for long: it holds the first certificate of the kubelet, which is never renewed (kubernetes/kubeadm#1753). */
export function embeddingKubeletConf(
  node: string,
  { authority, controlPlaneUrl }: KubeconfigOptions,
  validity: Pick<CertificateOptions, 'notBefore' | 'notAfter'> = {},
): string {
  return kubeconfig(controlPlaneUrl, authority.cert, `system:node:${node}`, issueKubeletPair(authority, node, validity));
}
