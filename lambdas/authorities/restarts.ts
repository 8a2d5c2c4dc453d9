import type { RotationMode, RotationState } from '../contract/authority-rotation';
import type { AuthorityName } from '../contract/certificate-names';
import type { AuthoritySecret } from '../contract/certificates';
import { pathOf } from './rotation-path';

/** What runs on a node and keeps something of an authority in memory. */
export const COMPONENTS = ['apiserver', 'controller-manager', 'scheduler', 'etcd', 'kubelet'] as const;
export type Component = (typeof COMPONENTS)[number];

/** What a set of certificates has started again on its node; managers and kubelets are, whenever their kubeconfigs change. */
export type Server = Extract<Component, 'apiserver' | 'etcd'>;
const isServer = (component: Component): component is Server => component === 'apiserver' || component === 'etcd';

/** A component that reads a file at its start alone, in the state that changes this file. */
export interface NeededRestart {
  readonly component: Component;
  /** `canary`: on that node; `others`: on all but that one, which went before. */
  readonly where: 'each' | 'canary' | 'others';
  readonly because: string;
}

const MANAGER_ROOT = 'it reads --root-ca-file at its start, and publishes kube-root-ca.crt from it';
const KUBECONFIG = 'its kubeconfig holds the certificates themselves, and is read at its start';
const ETCD_POOL = 'it reads its trusted CA files at its start';
const ETCD_CA_OF_API = 'it reads --etcd-cafile at its start';
const OPEN_WATCHES = 'a watch that was opened by a certificate of the old authority goes on until the process ends';
const KUBELET = 'its kubeconfig holds the certificate that it trusts';

const together = (where: NeededRestart['where']): NeededRestart[] => [
  { component: 'etcd', where, because: ETCD_POOL },
  { component: 'apiserver', where, because: `${ETCD_CA_OF_API}; together with etcd, and out of the balancer before` },
];

const both = (because: string): NeededRestart[] => [
  { component: 'controller-manager', where: 'each', because },
  { component: 'scheduler', where: 'each', because },
];

const manager: NeededRestart = { component: 'controller-manager', where: 'each', because: MANAGER_ROOT };
const kubelet: NeededRestart = { component: 'kubelet', where: 'each', because: KUBELET };
type Table = Readonly<Partial<Record<RotationState, readonly NeededRestart[]>>>;

const NEEDED: Readonly<Record<RotationMode, Readonly<Record<AuthorityName, Table>>>> = {
  planned: {
    // The apiserver takes what is trusted for clients and what it serves while it runs, and so does whoever asks it for that.
    'front-proxy': {},
    cluster: { TRUSTED: [manager], ISSUING: both(KUBECONFIG), SOAKING: [kubelet], DISTRUSTED: [...both(KUBECONFIG), kubelet] },
    // Straight from the old root to the new one: what is served until then is accepted under both.
    etcd: { 'DISTRUST-CANARY': together('canary'), DISTRUSTED: together('others') },
  },
  // Without the cross certificate everybody has to know the new root before anything of it is served.
  compromise: {
    'front-proxy': { DISTRUSTED: [{ component: 'apiserver', where: 'each', because: OPEN_WATCHES }] },
    cluster: {
      TRUSTED: [manager, { component: 'scheduler', where: 'each', because: KUBECONFIG }, kubelet],
      ISSUING: both(KUBECONFIG),
      DISTRUSTED: [{ component: 'apiserver', where: 'each', because: OPEN_WATCHES }, ...both(KUBECONFIG), kubelet],
    },
    etcd: { TRUSTED: together('each'), DISTRUSTED: together('each') },
  },
};

/**
 * What has to be started anew in a state before what it distributes is in force; everything else takes its files while it runs. As measured with
 * Kubernetes 1.37 and etcd 3.6.
 */
export const restartsIn = (authority: AuthorityName, mode: RotationMode, state: RotationState): readonly NeededRestart[] =>
  NEEDED[mode][authority][state] ?? [];

const OWN_KUBECONFIG: readonly Component[] = ['controller-manager', 'scheduler', 'kubelet'];

/**
 * What the sets of a state have started again on nodes of the control plane, as a person is told it before. That is more than what has to be: whoever
 * holds a kubeconfig is started again whenever that changes, and for the cluster's authority it does with what it trusts, with what signed it, and when
 * the cross certificate after its leaf goes.
 */
export function startedIn(authority: AuthorityName, mode: RotationMode, state: RotationState): readonly NeededRestart[] {
  if (authority !== 'cluster') return restartsIn(authority, mode, state);
  const holders = (where: NeededRestart['where']): NeededRestart[] =>
    OWN_KUBECONFIG.map((component) => ({ component, where, because: KUBECONFIG }));
  const servers = restartsIn(authority, mode, state).filter(({ component }) => isServer(component));
  switch (state) {
    case 'MINTED':
    case 'SOAKING':
      return [];
    case 'TRUSTED':
    case 'ISSUING':
      return [...servers, ...holders('each')];
    case 'DISTRUST-CANARY':
      return holders('canary');
    case 'DISTRUSTED':
      return mode === 'compromise' ? [...servers, ...holders('each')] : [...holders('others'), ...holders('each')];
  }
}

/**
 * What must not run since before its files in a state, whoever wrote them: also what was started in an earlier state, since a node may have come back
 * from an old disk meanwhile. After a compromise only what the state itself starts: the bundle is written once more in between, in another order.
 */
export function startersIn(authority: AuthorityName, mode: RotationMode, state: RotationState): readonly NeededRestart[] {
  if (mode === 'compromise') return restartsIn(authority, mode, state);
  const path = pathOf(mode);
  const needed = path.slice(0, path.indexOf(state) + 1).flatMap((each) => restartsIn(authority, mode, each));
  return needed.filter((one, at) => needed.findIndex(({ component, where }) => one.component === component && one.where === where) === at);
}

/** Those of them that concern one node. */
export const restartsOn = (needed: readonly NeededRestart[], isCanary: boolean): readonly NeededRestart[] =>
  needed.filter(({ where }) => where === 'each' || (where === 'canary') === isCanary);

/**
 * Who is started again once what he trusts has changed on a node: etcd and apiserver read etcd's authorities at their start alone. On the way back too,
 * where one may have been started while the old generation was distrusted, and both when they are trusted again and when the new one is forgotten.
 */
export function serversToRestart(
  { authority, rotation }: Pick<AuthoritySecret, 'authority' | 'rotation'>,
  isCanary: boolean,
): readonly Server[] {
  if (rotation === undefined) return [];
  const { mode, state, abortRequested, distrustBegan, crossDroppedAt } = rotation;
  // Leaves alone change by that.
  if (crossDroppedAt !== undefined && abortRequested === undefined) return [];
  if (abortRequested === undefined)
    return restartsOn(restartsIn(authority, mode, state), isCanary)
      .map(({ component }) => component)
      .filter(isServer);
  const known = distrustBegan !== undefined || mode === 'compromise';
  return authority === 'etcd' && known && (state === 'SOAKING' || state === 'MINTED') ? ['etcd', 'apiserver'] : [];
}
