// The certificates of a kubeadm-shaped control plane, by the names of their files below /etc/kubernetes/pki and /etc/kubernetes.
import { z } from 'zod';

/** Who signs. Service accounts have a key pair and no certificate, so they are none of these. */
export const AuthorityName = z.enum(['cluster', 'etcd', 'front-proxy']);
export type AuthorityName = z.infer<typeof AuthorityName>;

/** What is exchanged by its next generation: an authority, or the key pair that signs tokens of service accounts. */
export const Exchangeable = z.enum([...AuthorityName.options, 'service-accounts']);
export type Exchangeable = z.infer<typeof Exchangeable>;

/** Where kubeadm keeps the certificate of an authority, below the folder of certificates; its key lies beside it as `.key`. */
export const AUTHORITY_FILES: Readonly<Record<AuthorityName, string>> = {
  cluster: 'ca',
  etcd: 'etcd/ca',
  'front-proxy': 'front-proxy-ca',
};

interface Leaf {
  readonly authority: AuthorityName;
  /** A pair of files below the folder of certificates, or a kubeconfig that has both inside. */
  readonly kind: 'file' | 'kubeconfig';
}

/** kubeadm's own table: cmd/kubeadm/app/phases/certs/certlist.go and phases/kubeconfig/kubeconfig.go. */
export const LEAVES = {
  apiserver: { authority: 'cluster', kind: 'file' },
  'apiserver-kubelet-client': { authority: 'cluster', kind: 'file' },
  'apiserver-etcd-client': { authority: 'etcd', kind: 'file' },
  'etcd/server': { authority: 'etcd', kind: 'file' },
  'etcd/peer': { authority: 'etcd', kind: 'file' },
  'etcd/healthcheck-client': { authority: 'etcd', kind: 'file' },
  'front-proxy-client': { authority: 'front-proxy', kind: 'file' },
  'admin.conf': { authority: 'cluster', kind: 'kubeconfig' },
  'super-admin.conf': { authority: 'cluster', kind: 'kubeconfig' },
  'controller-manager.conf': { authority: 'cluster', kind: 'kubeconfig' },
  'scheduler.conf': { authority: 'cluster', kind: 'kubeconfig' },
  'kubelet.conf': { authority: 'cluster', kind: 'kubeconfig' },
} as const satisfies Readonly<Record<string, Leaf>>;
export const LEAF_NAMES = Object.keys(LEAVES) as [keyof typeof LEAVES, ...(keyof typeof LEAVES)[]];
export const LeafName = z.enum(LEAF_NAMES);
export type LeafName = z.infer<typeof LeafName>;
