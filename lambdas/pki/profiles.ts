import type { LeafName } from '../contract/certificate-names';
import type { AltNames } from './alt-names';
import { altNamesOf, isDnsName } from './alt-names';
import { BadLeafInput } from './errors';
import type { ExtendedUsage, KeyUsage } from './oids';

// kubeadm's certificates (cmd/kubeadm/app/phases/certs/certlist.go and phases/kubeconfig/kubeconfig.go) as of 1.29 and later, whose clients of
// etcd have no organization and whose cluster-admins are a group that RBAC can take the rights from. Never match a certificate by its common
// name: kubernetes/website documents others than kubeadm writes. Its role is the file it lies in, and its authority is who signed it.

export interface LeafInput {
  /** As the API server knows the node. */
  readonly nodeName: string;
  /**
   * DNS names and IP addresses besides those that are the same everywhere; clients have none, whatever is given. Of apiserver:
   * `kubernetes.default.svc.<dnsDomain>`, the first service IP, the advertise address, the control-plane endpoint and `apiServer.certSANs`.
   * Of etcd/server and etcd/peer: the advertise address and `serverCertSANs` or `peerCertSANs`.
   *
   * @default - none
   */
  readonly sans?: readonly string[];
}

export interface LeafSubject {
  readonly commonName: string;
  /** Kubernetes reads it as the group of a user. */
  readonly organization?: string;
}

/** All that distinguishes one leaf from another; `sans` is undefined where the extension must not be. */
export interface LeafProfile {
  readonly subject: LeafSubject;
  readonly eku: readonly ExtendedUsage[];
  readonly sans?: AltNames;
}

/** The same for every leaf and for every authority of kubeadm (cmd/kubeadm/app/util/pkiutil/pki_helpers.go). */
export const LEAF_KEY_USAGE: readonly KeyUsage[] = ['digitalSignature', 'keyEncipherment'];
export const AUTHORITY_KEY_USAGE: readonly KeyUsage[] = ['digitalSignature', 'keyEncipherment', 'keyCertSign'];

type Profile = (input: LeafInput) => LeafProfile;

function nodeNameOf({ nodeName }: LeafInput): string {
  if (!isDnsName(nodeName) || nodeName.startsWith('*')) {
    throw new BadLeafInput(`"${nodeName}" is not the name of a node: give it in lower case, as kubectl get nodes shows it`);
  }
  return nodeName;
}

const client =
  (commonName: string | ((input: LeafInput) => string), organization?: string): Profile =>
  (input) => ({
    subject: {
      commonName: typeof commonName === 'string' ? commonName : commonName(input),
      ...(organization !== undefined && { organization }),
    },
    eku: ['clientAuth'],
  });

/** Members of etcd are each other's clients by the certificate they serve: both usages, always (etcd#9785). */
const member: Profile = (input) => ({
  subject: { commonName: nodeNameOf(input) },
  eku: ['serverAuth', 'clientAuth'],
  sans: altNamesOf([nodeNameOf(input), 'localhost', '127.0.0.1', '::1', ...(input.sans ?? [])]),
});

const apiserver: Profile = (input) => {
  const names = [nodeNameOf(input), 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', ...(input.sans ?? [])];
  const sans = altNamesOf(names);
  // Every pod reaches the API by KUBERNETES_SERVICE_HOST, an address.
  if (sans.ips.length === 0) {
    throw new BadLeafInput(
      `an apiserver certificate for ${sans.dns.join(', ')} has no IP address: give the first service IP and the advertise address`,
    );
  }
  return { subject: { commonName: 'kube-apiserver' }, eku: ['serverAuth'], sans };
};

const ADMINS = 'kubeadm:cluster-admins';

/** @throws BadLeafInput by each, when its input cannot stand in a certificate */
export const PROFILES: Readonly<Record<LeafName, Profile>> = {
  apiserver,
  'apiserver-kubelet-client': client('kube-apiserver-kubelet-client', ADMINS),
  'apiserver-etcd-client': client('kube-apiserver-etcd-client'),
  'etcd/server': member,
  'etcd/peer': member,
  'etcd/healthcheck-client': client('kube-etcd-healthcheck-client'),
  'front-proxy-client': client('front-proxy-client'),
  'admin.conf': client('kubernetes-admin', ADMINS),
  'super-admin.conf': client('kubernetes-super-admin', 'system:masters'),
  'controller-manager.conf': client('system:kube-controller-manager'),
  'scheduler.conf': client('system:kube-scheduler'),
  'kubelet.conf': client((input) => `system:node:${nodeNameOf(input)}`, 'system:nodes'),
};
