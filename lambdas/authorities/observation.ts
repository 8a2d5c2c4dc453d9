import type { RotationMode } from '../contract/authority-rotation';
import type { AuthorityName, LeafName } from '../contract/certificate-names';
import type { ClusterSeen, ProcessSeen } from './common-checks';
import type { EtcdLog } from './rejections';
import type { Component } from './restarts';

/** A generation as it shows itself: its id, and its name as ports list it. */
export interface Shown {
  /** SHA-256 of its certificate. */
  readonly id: string;
  /** `CN=etcd-ca-g7-1f0c9a2e`. */
  readonly name: string;
}

/** Which rotation it is about, and which place distrusts first. */
export interface Rotating {
  readonly authority: AuthorityName;
  readonly mode: RotationMode;
  readonly canary: string;
  readonly old: Shown;
  /** `cross`: SHA-256 of its name and key signed by the old one; missing in compromise mode. */
  readonly next: Shown & { readonly cross?: string };
  /** Whether the cross certificate is given to nobody any more, before the rotation is closed. @default false */
  readonly crossDropped?: boolean;
  /** Whether the old root was distrusted everywhere before the rotation went back: its generation has a `distrustedAt` then. */
  readonly wasDistrusted: boolean;
}

export const PORT_COMPONENTS = ['apiserver', 'controller-manager', 'scheduler', 'kubelet', 'etcd-client', 'etcd-peer'] as const;
export type PortComponent = (typeof PORT_COMPONENTS)[number];

/** What a fresh handshake with a port showed. */
export interface PortSeen {
  /** The node. */
  readonly place: string;
  readonly component: PortComponent;
  /** The generation that signed the leaf, by id; undefined for a stranger. */
  readonly issuer: string | undefined;
  /** SHA-256 of what was served after the leaf. */
  readonly chain: readonly string[];
  /** Names of the authorities that it accepts clients of; undefined where it asks for no certificate. */
  readonly acceptable: readonly string[] | undefined;
}

/** What a node told in this round. */
export interface NodeSeen {
  readonly name: string;
  readonly runs: readonly Component[];
  /** SHA-256 of each file of trusted roots of the authority. */
  readonly bundles: readonly string[];
  /** Leaves of the authority; `issuer` undefined for a stranger, `chain` SHA-256 of what follows in the file. */
  readonly leaves: readonly {
    readonly leaf: LeafName;
    readonly issuer: string | undefined;
    readonly chain: readonly string[];
    readonly writtenAt?: Date;
  }[];
  /** Which generation signed the certificate that the kubelet uses now. */
  readonly kubeletIssuer?: string;
  /** By which generation the controller-manager signs. */
  readonly signer?: string;
  readonly processes: readonly ProcessSeen[];
  /** Of a node on which etcd runs; missing where its log was not found, or could not be told. */
  readonly etcdLog?: EtcdLog;
  /** When the old root was last taken out of its files, and when both were last put back. */
  readonly trust?: { readonly oldDroppedAt?: Date; readonly bothSince?: Date };
}

/** Of which nodes and namespaces something must be known, and how it was before: what ran then is to run now. */
export interface Expected {
  readonly nodes: readonly {
    readonly name: string;
    readonly runs: readonly Component[];
    readonly leaves: readonly LeafName[];
  }[];
  readonly unready?: readonly string[];
  /** SHA-256 of the bundle that is to be distributed now. */
  readonly bundle: string;
}

/** What was found in one round. */
export interface Observation extends ClusterSeen {
  readonly rotation: Rotating;
  readonly expected: Expected;
  readonly ports?: readonly PortSeen[];
  readonly nodes?: readonly NodeSeen[];
  /** Generations in kube-root-ca.crt of every namespace that there is. */
  readonly published?: readonly { readonly namespace: string; readonly generations: readonly string[] }[];
  readonly pathMatrix?: { readonly failing: readonly string[] };
  readonly approvedBy?: string;
  /** When it began, and once it distrusts when that began: who was refused by etcd before has other reasons. */
  readonly since?: Date;
  /** What was named to whoever approved; `all` where it was more than is noted, and where nobody is to be asked. */
  readonly approvedNames?: readonly string[] | 'all';
  /**
   * Places that hold the old root and that nobody renews by himself, and whether somebody saw to it; on the way back those that were given the new root
   * alone. A pod is seen to when it began after what it trusts was published last: a restore of etcd brings back what was published before.
   * `approvable`: nobody sees it from here, so that whoever approves sees to it; `because`: what he is told then, where it is more than that it has it.
   */
  readonly hidden?: readonly {
    readonly place: string;
    readonly handled: boolean;
    readonly approvable?: boolean;
    readonly because?: string;
  }[];
}

/**
 * Whether a port distrusts the old root before the others do. On the first place that are the apiserver and etcd; a kubelet there reads the file of the
 * apiserver while it runs or at its start alone, and may go with either; controller-manager and scheduler follow what the cluster as a whole publishes.
 */
export const goesFirst = ({ canary }: Rotating, { place, component }: Pick<PortSeen, 'place' | 'component'>): boolean =>
  place === canary && (component === 'apiserver' || component === 'etcd-client' || component === 'etcd-peer');

interface PortOf {
  readonly component: PortComponent;
  readonly of: Component;
  readonly serves: boolean;
}

const PORTS: Readonly<Record<AuthorityName, readonly PortOf[]>> = {
  cluster: [
    { component: 'apiserver', of: 'apiserver', serves: true },
    { component: 'kubelet', of: 'kubelet', serves: false },
  ],
  etcd: [
    { component: 'etcd-client', of: 'etcd', serves: true },
    { component: 'etcd-peer', of: 'etcd', serves: true },
  ],
  'front-proxy': [{ component: 'apiserver', of: 'apiserver', serves: false }],
};

/**
 * The ports that show something of the authority, for all that are expected to be there. Those of controller-manager and scheduler are judged where
 * they were seen and not missed where they were not: kubeadm binds them to the node itself.
 */
export const portsOf = ({ rotation: { authority }, expected }: Pick<Observation, 'rotation' | 'expected'>) =>
  expected.nodes.flatMap(({ name, runs }) =>
    PORTS[authority]
      .filter(({ of }) => runs.includes(of))
      .map(({ component, serves }) => ({ place: name, component, serves, name: `${component} of ${name}` })),
  );
