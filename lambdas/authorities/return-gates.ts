import type { AuthorityRotation, RotationState } from '../contract/authority-rotation';
import { shortSigner } from '../contract/short-id';
import { eachNode, startedSince } from './common-checks';
import { CHECKS, clientsUsed, eachPort } from './gate-checks';
import type { Check } from './gate-checks';
import { byTime } from './faults';
import { GATES } from './gate-names';
import { restartsIn, restartsOn, startersIn } from './restarts';

/** What has to be proven before an aborted rotation goes back. */
export const RETURN_GATES = {
  'nodes-told': GATES['nodes-told'],
  'trust-files': 'every node has the same bytes of trusted roots, with both',
  'old-trusted': 'everybody trusts the old root again, also what reads it at its start',
  'clients-returned': 'whoever was given the new root alone had the time to take both, or was given them',
  'old-published': 'kube-root-ca.crt of every namespace has the old root again',
  'old-leaves': 'every leaf is by the old root',
  'next-gone': 'no port lists the new root',
  'old-files': 'no node has other trusted roots than before',
} as const;
export type ReturnGate = keyof typeof RETURN_GATES;

/** The gates of the way back from a state, where something has to be proven. */
export function returnGatesIn(state: RotationState): readonly ReturnGate[] {
  switch (state) {
    case 'MINTED':
      return ['nodes-told', 'next-gone', 'old-files'];
    case 'TRUSTED':
      return ['nodes-told', 'old-leaves'];
    // Once more, since a restore of etcd takes back what was published, and leaves by the old root come next.
    case 'ISSUING':
      return ['nodes-told', 'trust-files', 'old-trusted', 'old-published'];
    case 'SOAKING':
      return ['nodes-told', 'trust-files', 'old-trusted', 'old-published', 'clients-returned'];
    case 'DISTRUST-CANARY':
    case 'DISTRUSTED':
      return [];
  }
}

type Returning = Pick<AuthorityRotation, 'state' | 'abortRequested' | 'distrustBegan'>;

/**
 * Whether an aborted rotation goes back from its state with nothing to be proven, and without giving anybody what the state gives first: one node that
 * cannot be given that may be why it is aborted.
 */
export function goesBackAtOnce({ state, abortRequested, distrustBegan }: Returning): boolean {
  if (abortRequested === undefined) return false;
  switch (state) {
    // What a later state gave is taken back in these. Where it never came to one, nobody has anything of it.
    case 'MINTED':
    case 'TRUSTED':
      return abortRequested.in === state;
    // As long as everybody trusts the old root, leaves by it are taken by everybody.
    case 'ISSUING':
    case 'SOAKING':
      return distrustBegan === undefined;
    // Both roots are trusted again by that, which takes nothing from anybody.
    case 'DISTRUST-CANARY':
    case 'DISTRUSTED':
      return true;
  }
}

/** The gates of the way back of a rotation, from where it is. */
export const returnGatesOf = (rotation: Returning): readonly ReturnGate[] =>
  goesBackAtOnce(rotation) ? [] : returnGatesIn(rotation.state);

const trustsOld: Check = (observation) => {
  const { old, authority, mode } = observation.rotation;
  const unlisted = eachPort(observation, ({ acceptable }, { name }) =>
    acceptable?.includes(old.name) === true ? [] : [`${name} does not list ${old.name} again`],
  );
  // Nobody can see from outside what a client trusts: one that was started after its files lost the old root, and before they had both again, trusts the new one alone. What takes its files
  // while it runs has both again.
  const starters = startersIn(authority, mode, 'DISTRUSTED').map(({ component }) => component);
  const started = eachNode(observation, ({ trust, processes }, { name }) => {
    const { oldDroppedAt, bothSince } = trust ?? {};
    if (bothSince === undefined) return [`it is not known since when ${name} has both roots`];
    return processes
      .filter(({ component }) => starters.includes(component))
      .filter(({ startedAt, filesAt = bothSince }) => oldDroppedAt !== undefined && startedAt >= oldDroppedAt && startedAt <= filesAt)
      .map(({ component }) => `${component} of ${name} was started while the old root was distrusted: start it anew`);
  });
  return [...unlisted, ...started];
};

const oldLeaves: Check = (observation, state) => {
  const { old, authority, mode } = observation.rotation;
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
  // Who holds a leaf by the new root in memory would be refused from then on, if it is bare.
  const held = eachNode(observation, ({ processes }, node) =>
    restartsOn(restartsIn(authority, mode, 'ISSUING'), false)
      .filter(({ component }) => node.runs.includes(component))
      .flatMap(({ component, because }) => startedSince(node.name, processes, component, { files: 'files', because })),
  );
  return [...served, ...written, ...held, ...clientsUsed(observation, state)];
};

/** Pods that begin now are given what is published. */
const oldPublished: Check = ({ rotation: { authority, old, wasDistrusted }, published }) => {
  if (!wasDistrusted || authority !== 'cluster') return [];
  if (published === undefined) return ['nothing is known of kube-root-ca.crt: read it from every namespace'];
  return published
    .filter(({ generations }) => !generations.includes(old.id))
    .map(({ namespace }) => `kube-root-ca.crt of ${namespace} does not have ${shortSigner(old.id)} again`);
};

const clientsReturned: Check = ({ rotation: { wasDistrusted }, hidden, soakUntil, at }) => {
  if (!wasDistrusted) return [];
  const places = hidden?.flatMap(({ place, handled }) => (handled ? [] : [`${place} has the new root alone: give it both`]));
  return [
    ...(places ?? ['it is not known who was given the new root alone']),
    ...(soakUntil === undefined ? ['it is not known until when clients renew by themselves'] : []),
    ...(soakUntil !== undefined && at < soakUntil ? [byTime(`clients renew by themselves until ${soakUntil.toISOString()}`)] : []),
  ];
};

/** What each of them looks at. */
export const RETURN_CHECKS: Readonly<Record<ReturnGate, Check>> = {
  'nodes-told': CHECKS['nodes-told'],
  'trust-files': CHECKS['trust-files'],
  'old-trusted': trustsOld,
  'old-published': oldPublished,
  'clients-returned': clientsReturned,
  'old-leaves': oldLeaves,
  // One that has no such file has nothing of the new root in it.
  'old-files': (observation) =>
    eachNode(observation, ({ bundles }, { name }) =>
      bundles
        .filter((bundle) => bundle !== observation.expected.bundle)
        .map((bundle) => `${name} has other trusted roots than before: ${shortSigner(bundle)}`),
    ),
  'next-gone': (observation) =>
    eachPort(observation, ({ acceptable }, { name }) => {
      if (acceptable === undefined) return [`it is not known whom ${name} accepts`];
      if (!acceptable.includes(observation.rotation.next.name)) return [];
      const lists = `${name} lists ${observation.rotation.next.name}`;
      // It is not started anew for a turn back, and may have been by somebody while its files had both.
      return [
        observation.rotation.authority === 'etcd'
          ? `${lists}: start that member anew, which reads its trusted CA files at its start alone`
          : lists,
      ];
    }),
};
