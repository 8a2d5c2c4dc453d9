import type { RotationMode, RotationState } from '../contract/authority-rotation';
import type { AuthorityName } from '../contract/certificate-names';
import { startersIn } from './restarts';

/** What has to be proven before a state is left, as a person is told it. */
export const GATES = {
  'path-matrix': 'every chain that is served is accepted by everybody who will see it',
  'nodes-told': 'every node told of its files',
  'all-running': 'everything runs that ran on each node before',
  'nodes-ready': 'as many nodes are Ready as before',
  'apiservers-ready': 'every apiserver says that it is ready, each by itself',
  'etcd-well': 'etcd has all its voters, no learner, and all links between them',
  'trust-files': 'every node has the same bytes of trusted roots',
  'trust-loaded': 'every port lists the new root among those that it accepts',
  'root-published': 'kube-root-ca.crt of every namespace has what is trusted',
  restarted: 'what reads its files at its start was started after they were written',
  'leaves-written': 'every leaf on every node is by the new root',
  'leaves-served': 'every port serves a leaf by the new root, to a fresh connection',
  'clients-used': 'the apiserver had the time to take its client certificates',
  'signer-switched': 'the controller-manager signs by the new root',
  'kubelets-renewed': 'every kubelet has a certificate by the new root',
  'places-handled': 'no place that hides the old root is left as it was',
  soaked: 'the time to wait is over',
  approved: 'somebody approved that the old root is distrusted',
  'canary-distrusts': 'the first place distrusts the old root, and it alone',
  'old-gone': 'no port lists the old root',
  'nobody-refused': 'etcd refuses no member, and no client that nobody knows of',
  'cross-gone': 'no port serves the cross certificate any more',
} as const;
export type GateName = keyof typeof GATES;

const ALWAYS = ['nodes-told', 'all-running', 'nodes-ready', 'apiservers-ready', 'etcd-well'] as const;

/** When DISTRUSTED has come true the cross certificate is taken away, and that is proven beside all the rest before it is closed. */
const AFTER_CROSS = ['cross-gone', 'soaked'] as const;

/**
 * The gates of a state, in the order in which they are told. What one state proved the next ones prove again: a node may come back from an old disk
 * in any of them, and kubeadm may renew a leaf.
 *
 * @param crossDropped whether the cross certificate was taken away by then, at the end of DISTRUSTED
 */
export function gatesIn(state: RotationState, authority: AuthorityName, mode: RotationMode, crossDropped = false): readonly GateName[] {
  const only = (when: boolean, ...names: GateName[]): readonly GateName[] => (when ? names : []);
  const cluster = authority === 'cluster';
  const restarts = only(startersIn(authority, mode, state).length > 0, 'restarted');
  // A member of etcd takes no root while it runs, and needs none as long as the cross certificate is served.
  const loaded = only(authority !== 'etcd' || mode === 'compromise', 'trust-loaded');
  const leaves: readonly GateName[] = [
    'leaves-written',
    ...only(authority !== 'front-proxy', 'leaves-served'),
    ...restarts,
    ...only(authority !== 'etcd', 'clients-used'),
    ...only(cluster, 'signer-switched'),
  ];
  const renewed = only(cluster, 'kubelets-renewed');
  // Of all who are spoken to etcd alone tells whom it refuses.
  const refused = only(authority === 'etcd', 'nobody-refused');
  switch (state) {
    case 'MINTED':
      return [...ALWAYS, 'path-matrix'];
    case 'TRUSTED':
      return [...ALWAYS, 'trust-files', ...loaded, ...restarts, ...only(cluster, 'root-published'), ...refused, 'path-matrix'];
    case 'ISSUING':
      return [
        ...ALWAYS,
        'trust-files',
        ...loaded,
        ...leaves,
        ...only(mode === 'compromise', ...renewed, 'places-handled'),
        ...refused,
        'path-matrix',
      ];
    case 'SOAKING':
      return [
        ...ALWAYS,
        'trust-files',
        ...loaded,
        ...leaves,
        ...renewed,
        'places-handled',
        'soaked',
        'approved',
        ...refused,
        'path-matrix',
      ];
    case 'DISTRUST-CANARY':
      return [...ALWAYS, ...leaves, ...renewed, 'canary-distrusts', 'soaked', ...refused];
    case 'DISTRUSTED':
      return [
        ...ALWAYS,
        'trust-files',
        ...leaves,
        ...renewed,
        'old-gone',
        ...only(cluster, 'root-published'),
        'places-handled',
        ...refused,
        ...only(crossDropped, ...AFTER_CROSS),
      ];
  }
}
