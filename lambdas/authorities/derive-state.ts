import type { RotationState } from '../contract/authority-rotation';
import type { AuthoritySecret } from '../contract/certificates';
import { shortSigner } from '../contract/short-id';
import type { Observation, PortComponent, PortSeen } from './observation';
import { goesFirst, portsOf } from './observation';
import { pathOf, stateAfter, stateBefore } from './rotation-path';
import type { PathState } from './rotation-path';
import { issuingIn } from './trust';

/** What one port shows, and in which states that is right. */
export interface PlaceShows {
  readonly place: string;
  readonly component: PortComponent;
  readonly shows: string;
  readonly fits: readonly Fitting[];
}

/** `CLOSED`: as after the rotation, with the new root alone and bare leaves. */
export type Fitting = PathState | 'CLOSED';

/**
 * `state`: one that all places fit; where several do, ports cannot tell them apart and they are all given, in their order. `mixed`: none, as while
 * work goes from node to node. `unseen`: a port that is expected was not seen, so that nothing can be said.
 */
export type Derived =
  | { readonly kind: 'state'; readonly states: readonly Fitting[]; readonly places: readonly PlaceShows[] }
  | { readonly kind: 'mixed'; readonly places: readonly PlaceShows[] }
  | { readonly kind: 'unseen'; readonly missing: readonly string[] };

export type Comparison = { readonly verdict: 'agree' } | { readonly verdict: 'halt'; readonly because: readonly string[] };

type Ports = Pick<Observation, 'rotation' | 'expected' | 'ports'>;

/**
 * The state that the ports show, whatever is recorded.
 *
 * @param document for the generations that were there before the two: ports may list closed ones as long as nobody took them out
 */
export function deriveState(observation: Ports, document: AuthoritySecret): Derived {
  const wanted = portsOf(observation);
  const seen = observation.ports ?? [];
  const missing = wanted.filter((port) => !seen.some(({ place, component }) => place === port.place && component === port.component));
  if (missing.length > 0) return { kind: 'unseen', missing: missing.map(({ name }) => name) };
  const places = seen.map((port) => {
    const serves = wanted.some((each) => each.place === port.place && each.component === port.component && each.serves);
    return showing(observation, document, port, serves);
  });
  const order: readonly Fitting[] = ['STEADY', ...pathOf(observation.rotation.mode), 'CLOSED'];
  const states = order.filter((state) => places.every(({ fits }) => fits.includes(state)));
  return states.length === 0 || places.length === 0 ? { kind: 'mixed', places } : { kind: 'state', states, places };
}

function showing({ rotation }: Ports, document: AuthoritySecret, port: PortSeen, serves: boolean): PlaceShows {
  const { place, component, issuer, chain, acceptable = [] } = port;
  const { old, next, mode } = rotation;
  const lists = [acceptable.includes(old.name) ? 'old' : '', acceptable.includes(next.name) ? 'new' : ''].filter((name) => name !== '');
  const crossed = next.cross !== undefined && chain.includes(next.cross);
  const leaf = !serves
    ? []
    : [`serves a leaf by ${issuer === next.id ? (crossed ? 'new with cross' : 'new') : known(issuer, rotation, document)}`];
  const shows = [`lists ${lists.join(' and ') || 'neither'}`, ...leaf].join(', ');
  const byTrust = fittingTrust(lists.join('+'), rotation, port);
  const byLeaf: readonly Fitting[] = serves ? fittingLeaf(issuer, crossed, rotation, mode) : byTrust;
  return { place, component, shows, fits: byTrust.filter((state) => byLeaf.includes(state)) };
}

const known = (issuer: string | undefined, { old }: Observation['rotation'], { generations }: AuthoritySecret): string => {
  if (issuer === old.id) return 'old';
  return generations.some(({ id }) => id === issuer) ? `${shortSigner(issuer)}, an older generation` : shortSigner(issuer);
};

function fittingTrust(lists: string, rotation: Observation['rotation'], port: PortSeen): readonly Fitting[] {
  const { authority, mode } = rotation;
  const path = pathOf(mode);
  const first = goesFirst(rotation, port);
  // It reads the file of the apiserver beside it, some while they run.
  const followsFirst = port.component === 'kubelet' && port.place === rotation.canary;
  const between = path.filter((state) => state !== 'MINTED' && state !== 'DISTRUSTED' && (state !== 'DISTRUST-CANARY' || !first));
  switch (lists) {
    case 'old':
      if (mode === 'compromise') return ['STEADY', 'MINTED'];
      // A member of etcd has in memory what it was started with, and starts once: straight to the new root.
      if (authority === 'etcd') return ['STEADY', 'MINTED', ...between];
      // A kubelet before Kubernetes 1.36 too; it starts while both are served.
      return port.component === 'kubelet' ? ['STEADY', 'MINTED', 'TRUSTED', 'ISSUING', 'SOAKING'] : ['STEADY', 'MINTED'];
    case 'old+new':
      return between;
    case 'new':
      return [...path.filter((state) => state === 'DISTRUSTED' || (state === 'DISTRUST-CANARY' && (first || followsFirst))), 'CLOSED'];
    default:
      return [];
  }
}

function fittingLeaf(
  issuer: string | undefined,
  crossed: boolean,
  { old, next, wasDistrusted }: Observation['rotation'],
  mode: Observation['rotation']['mode'],
): readonly Fitting[] {
  const path = pathOf(mode);
  const issued = path.filter((state) => state !== 'MINTED' && state !== 'TRUSTED');
  if (issuer === old.id) return ['STEADY', 'MINTED', 'TRUSTED'];
  if (issuer !== next.id) return [];
  if (mode === 'compromise' || crossed) return [...issued, 'CLOSED'];
  // At the end of DISTRUSTED the cross certificate is given to nobody any more; turned back from there, trust may be back before it is.
  return wasDistrusted ? ['SOAKING', 'DISTRUSTED', 'CLOSED'] : ['DISTRUSTED', 'CLOSED'];
}

/**
 * Whether what the ports show is what is recorded. While work goes from node to node a place may still show the state before, and on the way back
 * the one after; anything else was done by somebody else, or came back from an old disk, and nobody may go on over it by a guess.
 */
export function compareWithRecorded(observation: Ports, document: AuthoritySecret): Comparison {
  const derived = deriveState(observation, document);
  if (derived.kind === 'unseen')
    return { verdict: 'halt', because: derived.missing.map((port) => `${port} was not seen: look at it again`) };
  const recorded = recordedIn(observation, document);
  const wrong = derived.places
    .filter(({ fits }) => !fits.some((state) => recorded.allowed.includes(state)))
    .map(
      ({ place, component, shows, fits }) =>
        `${component} of ${place} ${shows}, as in ${fits.join(' or ') || 'no state'}, and ${recorded.state} is recorded: find out who changed it, and repair it`,
    );
  return wrong.length === 0 ? { verdict: 'agree' } : { verdict: 'halt', because: wrong };
}

function recordedIn({ rotation: { old, next } }: Ports, document: AuthoritySecret): { state: Fitting; allowed: readonly Fitting[] } {
  const { rotation } = document;
  if (rotation === undefined) {
    const state = issuingIn(document)?.id === next.id ? 'CLOSED' : 'STEADY';
    return { state, allowed: issuingIn(document)?.id === old.id || state === 'CLOSED' ? [state] : [] };
  }
  const { state, mode, abortRequested } = rotation;
  const before: PathState = pathOf(mode)[pathOf(mode).indexOf(state) - 1] ?? 'STEADY';
  const later = abortRequested === undefined ? [] : laterThan(mode, state);
  return { state, allowed: [before, state, ...later] };
}

/** From where an aborted rotation may have come into this state, and what stands between. */
function laterThan(mode: Observation['rotation']['mode'], state: RotationState): readonly RotationState[] {
  const path = pathOf(mode);
  const next = stateAfter(mode, state);
  return path.filter((each) => each === next || stateBefore(mode, each) === state);
}
