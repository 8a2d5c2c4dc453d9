import type { LeafName } from '../contract/certificate-names';
import { PROFILES } from '../pki/profiles';
import type { LeafProfile } from '../pki/profiles';
import { missingNames, namesOf } from './names';
import type { Names } from './names';
import type { ToldNode } from './told-node';

/** What kubeadm gave administrators and the API server before 1.29. */
const MASTERS = 'system:masters';
const ONCE_MASTERS: ReadonlySet<LeafName> = new Set([
  'admin.conf',
  'apiserver-kubelet-client',
  'apiserver-etcd-client',
  'etcd/healthcheck-client',
]);

/**
 * The profile of a leaf of this node. A group that RBAC may not know yet is not put in the place of one that is always in: a cluster made before
 * kubeadm 1.29 has no binding for `kubeadm:cluster-admins` until it is upgraded, which renews these certificates by itself.
 */
export function profileFor(leaf: LeafName, nodeName: string, names: Names, node: ToldNode): LeafProfile {
  const profile = PROFILES[leaf]({ nodeName, sans: [...names.dns, ...names.ips] });
  const told = node.leaves.get(leaf);
  const before = told === undefined || told === 'unparsable' ? [] : told.view.subject.organizations;
  if (!ONCE_MASTERS.has(leaf) || !before.includes(MASTERS)) return profile;
  return { ...profile, subject: { ...profile.subject, organization: MASTERS } };
}

/** Names of the certificate that is there which nothing explains: the first rotation leaves them out, once everything is known. */
export function unexplainedNames(leaf: LeafName, names: Names, node: ToldNode): string[] {
  const told = node.leaves.get(leaf);
  return told === undefined || told === 'unparsable' ? [] : missingNames(told.view.sans, names);
}

/**
 * The names of a leaf, and those of the certificate before where kubeadm's own config could not be read: it may add names that nobody else knows of,
 * and a name that is too many harms nobody.
 */
export function withUnexplained(leaf: LeafName, names: Names, node: ToldNode, everythingIsKnown: boolean): Names {
  const told = node.leaves.get(leaf);
  if (everythingIsKnown || told === undefined || told === 'unparsable') return names;
  const { dns, ips } = told.view.sans;
  return namesOf([...names.dns, ...names.ips, ...dns, ...ips]);
}
