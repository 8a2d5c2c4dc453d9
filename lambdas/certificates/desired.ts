import { LEAF_NAMES } from '../contract/certificate-names';
import type { LeafName } from '../contract/certificate-names';
import { hostOf } from '../contract/host-of';
import { firstAddressOf, isUnspecified, namesOf } from './names';
import type { Names } from './names';

/** What the certificates of one node are for, as the node and its manifests say. */
export interface NodePlace {
  readonly nodeName: string;
  /** What kube-apiserver advertises; undefined on a node without one. */
  readonly advertiseAddress?: string | undefined;
  /** Where it listens when that is one address and not all. */
  readonly bindAddress?: string | undefined;
  /** `--service-cluster-ip-range`, one CIDR or two. */
  readonly serviceSubnet?: string | undefined;
  /** URLs by which others reach its etcd, and where it listens; none where etcd runs elsewhere. */
  readonly etcdClientUrls: readonly string[];
  readonly etcdPeerUrls: readonly string[];
}

/** What holds for every node of the cluster. */
export interface ClusterPlace {
  readonly dnsDomain: string;
  /** Names and addresses by which clients reach the API: its DNS name, the balancer's, what the config and kubeadm-config add. */
  readonly apiNames: readonly string[];
  /** `etcd.local.serverCertSANs` and `peerCertSANs` of kubeadm-config. */
  readonly etcdServerNames: readonly string[];
  readonly etcdPeerNames: readonly string[];
  /** Whether kubeadm's own config was read, which may add names to certificates. */
  readonly everythingIsKnown: boolean;
}

export interface DesiredLeaf {
  readonly leaf: LeafName;
  readonly nodeName: string;
  readonly names: Names;
}

/**
 * Which certificates a node should have and for which names: computed anew each time and never copied from the certificate that is there, so that
 * a new balancer gets into them and a name that is gone gets out (cmd/kubeadm/app/util/pkiutil/pki_helpers.go for the names that kubeadm gives).
 *
 * @param present which of the leaves are there: kubeadm makes super-admin.conf on its first node only, and none of etcd's where that runs elsewhere
 */
export function desiredLeaves(node: NodePlace, cluster: ClusterPlace, present: ReadonlySet<LeafName>): DesiredLeaf[] {
  return LEAF_NAMES.filter((leaf) => isWanted(leaf, node, present)).map((leaf) => ({
    leaf,
    nodeName: node.nodeName,
    names: namesOf(namesFor(leaf, node, cluster)),
  }));
}

function isWanted(leaf: LeafName, node: NodePlace, present: ReadonlySet<LeafName>): boolean {
  if (present.has(leaf)) return true;
  // kubeadm makes the first on one node alone; the kubelet renews the second by itself, and the lifeboat only mends it.
  if (leaf === 'super-admin.conf' || leaf === 'kubelet.conf') return false;
  return leaf.startsWith('etcd/') ? node.etcdPeerUrls.length > 0 : node.advertiseAddress !== undefined;
}

function namesFor(leaf: LeafName, node: NodePlace, cluster: ClusterPlace): string[] {
  const { nodeName, serviceSubnet, advertiseAddress, bindAddress } = node;
  if (leaf === 'etcd/server') return [...etcdNames(node), ...hostsOf(node.etcdClientUrls), ...cluster.etcdServerNames];
  if (leaf === 'etcd/peer') return [...etcdNames(node), ...hostsOf(node.etcdPeerUrls), ...cluster.etcdPeerNames];
  if (leaf !== 'apiserver') return [];
  return [
    nodeName,
    ...['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${cluster.dnsDomain}`],
    ...(serviceSubnet?.split(',').map(firstAddressOf) ?? []),
    ...given(advertiseAddress),
    ...given(bindAddress).filter((address) => !isUnspecified(address)),
    ...cluster.apiNames,
  ];
}

const etcdNames = (node: NodePlace): string[] => [node.nodeName, 'localhost', ...given(node.advertiseAddress), '127.0.0.1', '::1'];
const given = (value: string | undefined): string[] => (value === undefined ? [] : [value]);
/** Without the one that stands for all addresses of a machine, on which etcd may listen. */
const hostsOf = (urls: readonly string[]): string[] => urls.map(hostOf).filter((host) => !isUnspecified(host));
