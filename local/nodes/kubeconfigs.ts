import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import type { Certificate, CertificateOptions } from '../etcd/certificates';
import { issueCertificate } from '../etcd/certificates';
import type { NodeTree } from './node-tree';

/** Who each kubeconfig of kubeadm makes its reader (cmd/kubeadm/app/phases/kubeconfig/kubeconfig.go), and whether it leads to this node alone. */
const KUBECONFIGS = {
  'admin.conf': { user: 'kubernetes-admin', group: 'kubeadm:cluster-admins', local: false },
  'super-admin.conf': { user: 'kubernetes-super-admin', group: 'system:masters', local: false },
  'controller-manager.conf': { user: 'system:kube-controller-manager', group: undefined, local: true },
  'scheduler.conf': { user: 'system:kube-scheduler', group: undefined, local: true },
} as const;

export type KubeconfigName = keyof typeof KUBECONFIGS;

export interface KubeconfigOptions {
  /** The authority of the cluster. */
  readonly authority: Certificate;
  /** `https://host:port` of the API server on this node, and of what stands in front of all of them. */
  readonly apiUrl: string;
  readonly controlPlaneUrl: string;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig with everything in it, as kubeadm writes it. */
export function kubeconfig(server: string, authority: string, user: string, { cert, key }: Certificate): string {
  const context = `${user}@kubernetes`;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'kubernetes', cluster: { 'certificate-authority-data': base64(authority), server } }],
    users: [{ name: user, user: { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) } }],
    contexts: [{ name: context, context: { cluster: 'kubernetes', user } }],
    'current-context': context,
    preferences: {},
  });
}

/** One of kubeadm's kubeconfigs, with a certificate of its own. */
export function issueKubeconfig(
  file: KubeconfigName,
  { authority, apiUrl, controlPlaneUrl }: KubeconfigOptions,
  validity: Pick<CertificateOptions, 'notBefore' | 'notAfter'> = {},
): string {
  const { user, group, local } = KUBECONFIGS[file];
  const pair = issueCertificate(authority, { commonName: user, usage: 'client', ...(group && { organization: group }), ...validity });
  return kubeconfig(local ? apiUrl : controlPlaneUrl, authority.cert, user, pair);
}

export const kubeconfigNames = Object.keys(KUBECONFIGS) as KubeconfigName[];

export function installKubeconfigs({ kubernetesDir }: NodeTree, options: KubeconfigOptions): void {
  for (const file of kubeconfigNames) writeFileSync(path.join(kubernetesDir, file), issueKubeconfig(file, options), { mode: 0o600 });
}
