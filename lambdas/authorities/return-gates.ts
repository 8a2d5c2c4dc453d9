import type { RotationState } from '../contract/authority-rotation';
import { eachNode, eachPort } from './gate-checks';
import type { Check } from './gate-checks';

/** What has to be proven before an aborted rotation goes back. */
export const RETURN_GATES = {
  'nodes-told': 'every node told of its files',
  'old-trusted': 'everybody trusts the old root again, also what reads it at its start',
  'old-leaves': 'every leaf is by the old root',
  'next-gone': 'no port lists the new root',
} as const;
export type ReturnGate = keyof typeof RETURN_GATES;

/** The gates of the way back from a state. */
export function returnGatesIn(state: RotationState): readonly ReturnGate[] {
  switch (state) {
    case 'MINTED':
      return ['nodes-told', 'next-gone'];
    case 'TRUSTED':
      return ['nodes-told', 'old-leaves'];
    case 'ISSUING':
      return ['nodes-told', 'old-trusted'];
    // Both roots are trusted again by that, which takes nothing from anybody.
    case 'SOAKING':
    case 'DISTRUST-CANARY':
    case 'DISTRUSTED':
      return [];
  }
}

const trustsOld: Check = (observation) => {
  const { old } = observation.rotation;
  const unlisted = eachPort(observation, ({ acceptable }, { name }) =>
    acceptable?.includes(old.name) === true ? [] : [`${name} does not list ${old.name} again`],
  );
  // Nobody can see from outside what a client trusts: one that was started between the two moments trusts the new root alone.
  const started = eachNode(observation, ({ trust, processes }, { name }) => {
    const { oldDroppedAt, bothSince } = trust ?? {};
    if (bothSince === undefined) return [`it is not known since when ${name} has both roots`];
    return processes
      .filter(({ startedAt }) => oldDroppedAt !== undefined && startedAt >= oldDroppedAt && startedAt <= bothSince)
      .map(({ component }) => `${component} of ${name} was started while the old root was distrusted: start it anew`);
  });
  return [...unlisted, ...started];
};

const oldLeaves: Check = (observation) => {
  const { old, authority } = observation.rotation;
  const served = eachPort(observation, ({ issuer }, { name, serves }) =>
    serves && issuer !== old.id ? [`${name} does not serve a leaf by the old root`] : [],
  );
  const written = eachNode(observation, ({ leaves, kubeletIssuer, signer }, node) => [
    ...node.leaves
      .filter((leaf) => leaf !== 'kubelet.conf' && leaves.find((each) => each.leaf === leaf)?.issuer !== old.id)
      .map((leaf) => `${leaf} of ${node.name} is not by the old root`),
    ...(authority === 'cluster' && node.runs.includes('kubelet') && kubeletIssuer !== old.id
      ? [`the kubelet of ${node.name} does not use a certificate by the old root`]
      : []),
    ...(authority === 'cluster' && node.runs.includes('controller-manager') && signer !== old.id
      ? [`the controller-manager of ${node.name} does not sign by the old root`]
      : []),
  ]);
  return [...served, ...written];
};

/** What each of them looks at. */
export const RETURN_CHECKS: Readonly<Record<ReturnGate, Check>> = {
  'nodes-told': (observation) => eachNode(observation, () => []),
  'old-trusted': trustsOld,
  'old-leaves': oldLeaves,
  'next-gone': (observation) =>
    eachPort(observation, ({ acceptable }, { name }) => {
      if (acceptable === undefined) return [`it is not known whom ${name} accepts`];
      return acceptable.includes(observation.rotation.next.name) ? [`${name} lists ${observation.rotation.next.name}`] : [];
    }),
};
