import type { NodeSeen, Observation, PortSeen } from '../../lambdas/authorities/observation';
import { portsOf } from '../../lambdas/authorities/observation';
import type { Component } from '../../lambdas/authorities/restarts';
import type { RotationMode, RotationState } from '../../lambdas/contract/authority-rotation';
import { LEAF_NAMES, LEAVES } from '../../lambdas/contract/certificate-names';
import type { AuthorityName } from '../../lambdas/contract/certificate-names';
import { NOW } from '../pki/pki-world';

export const O = { id: '0'.repeat(64), name: 'CN=o' };
export const N = { id: '1'.repeat(64), name: 'CN=n', cross: 'c'.repeat(64) };
export const BUNDLE = 'b'.repeat(64);
export const before = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1_000);
const { cross: _, ...bareN } = N;

const ALL: readonly Component[] = ['apiserver', 'controller-manager', 'scheduler', 'etcd', 'kubelet'];
const signsNow = (state: RotationState): boolean => state !== 'MINTED' && state !== 'TRUSTED';

/** A cluster that is ready to leave a state. */
export function observed(state: RotationState, authority: AuthorityName, mode: RotationMode = 'planned'): Observation {
  const issuer = signsNow(state) ? N : O;
  const chain = signsNow(state) && mode === 'planned' ? [N.cross] : [];
  const trusted = (place: string, component: string): string[] => {
    if (state === 'MINTED') return [O.name];
    if (state === 'DISTRUSTED' || (state === 'DISTRUST-CANARY' && place === 'cp-1' && component !== 'kubelet')) return [N.name];
    return [N.name, O.name];
  };
  const leaves = LEAF_NAMES.filter((leaf) => LEAVES[leaf].authority === authority);
  const nodes = ['cp-1', 'cp-2', 'cp-3', 'w-1'].map((name) => {
    const plane = name !== 'w-1';
    return { name, runs: plane ? ALL : (['kubelet'] as const), leaves: leaves.filter((leaf) => plane || leaf === 'kubelet.conf') };
  });
  const rotation = { authority, mode, canary: 'cp-1', old: O, next: mode === 'planned' ? N : bareN, wasDistrusted: false };
  const expected = { nodes, unready: [], bundle: BUNDLE };
  return {
    at: NOW,
    rotation,
    expected,
    ports: portsOf({ rotation, expected }).map(({ place, component }) => ({
      place,
      component,
      issuer: issuer.id,
      chain,
      acceptable: trusted(place, component),
    })),
    nodes: nodes.map(({ name, runs, leaves: own }) => ({
      name,
      runs,
      bundles: [BUNDLE, BUNDLE],
      leaves: own.map((leaf) => ({ leaf, issuer: issuer.id, chain, writtenAt: before(700) })),
      kubeletIssuer: issuer.id,
      signer: issuer.id,
      processes: runs.map((component) => ({ component, startedAt: before(600), filesAt: before(700) })),
      ...(runs.some((component) => component === 'etcd') && { etcdLog: { refused: [], more: false } }),
      trust: { bothSince: before(900) },
    })),
    published: ['default', 'kube-system'].map((namespace) => ({
      namespace,
      generations: state === 'DISTRUSTED' ? [N.id] : [O.id, N.id],
    })),
    etcd: { voters: 3, learners: 0, activePeersOk: true },
    unready: [],
    readyz: ['cp-1', 'cp-2', 'cp-3'].map((place) => ({ place, ok: true })),
    pathMatrix: { failing: [] },
    soakUntil: NOW,
    approvedBy: 'ann',
    since: before(1_800),
    hidden: [{ place: 'the kubeconfig of ci', handled: true }],
  };
}

export const changeNode = (observation: Observation, name: string, by: Partial<NodeSeen>): Observation => ({
  ...observation,
  nodes: observation.nodes!.map((node) => (node.name === name ? { ...node, ...by } : node)),
});
export const changePort = (observation: Observation, place: string, by: Partial<PortSeen>): Observation => ({
  ...observation,
  ports: observation.ports!.map((port) => (port.place === place ? { ...port, ...by } : port)),
});
export const changeLeaf = (observation: Observation, name: string, by: Partial<NodeSeen['leaves'][number]>): Observation =>
  changeNode(observation, name, {
    leaves: observation.nodes!.find((node) => node.name === name)!.leaves.map((leaf, at) => (at === 0 ? { ...leaf, ...by } : leaf)),
  });
export const changeLeaves = (observation: Observation, name: string, by: Partial<NodeSeen['leaves'][number]>): Observation =>
  changeNode(observation, name, {
    leaves: observation.nodes!.find((node) => node.name === name)!.leaves.map((leaf) => ({ ...leaf, ...by })),
  });
