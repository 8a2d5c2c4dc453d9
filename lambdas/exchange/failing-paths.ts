import { pathMatrix, printFailing } from '../authorities/path-matrix';
import type { ToldNode } from '../certificates/told-node';
import type { AuthorityRotation } from '../contract/authority-rotation';
import { SERVING_LEAVES } from '../contract/certificates';
import type { AuthoritySecret, Generation } from '../contract/certificates';
import type { PortLook } from '../contract/exchange-looks';
import { issueLeaf } from '../pki/issue';
import { PROFILES } from '../pki/profiles';
import { leavesOf } from './rotation-facts-of';

const SERVE: readonly string[] = SERVING_LEAVES;

interface Exchanged {
  readonly document: AuthoritySecret;
  readonly rotation: AuthorityRotation;
  readonly old: Generation;
  readonly next: Generation;
}

/** Every chain that is served against every file of trust that was found, before anything by the new generation is served to all. */
export function failingPaths(
  { document: { authority }, rotation, old, next }: Exchanged,
  told: readonly ToldNode[],
  ports: readonly PortLook[],
  at: Date,
): string[] {
  const serves = (component: PortLook['component']): boolean =>
    authority === 'etcd' ? component.startsWith('etcd') : authority === 'cluster' && component === 'apiserver';
  const servers = [
    ...ports.flatMap(({ place, component, chain }) =>
      serves(component) ? [{ place: `the port of ${component} on ${place}`, chain }] : [],
    ),
    // What will be served next, by those who trust what lies there now.
    ...told.flatMap((node) =>
      leavesOf(node, authority).flatMap((leaf) => {
        const read = node.leaves.get(leaf);
        if (read === undefined || read === 'unparsable' || leaf === 'kubelet.conf') return [];
        const role = SERVE.includes(leaf) ? 'server' : 'client';
        return [{ place: `the file of ${leaf} on ${node.host}`, chain: [read.pem, ...(node.chains.get(leaf) ?? [])], role } as const];
      }),
    ),
    ...trialOf(rotation, next, at),
  ];
  const seen = told.flatMap((node) => {
    const trusted = node.authorities.get(authority);
    return trusted === undefined || trusted === 'unparsable'
      ? []
      : [{ place: `trust of ${node.host}`, roots: trusted.map(({ pem }) => pem) }];
  });
  // Nobody sees whom people and pods trust: until the old one is distrusted some trust it alone.
  const clients =
    rotation.state === 'DISTRUSTED' || rotation.state === 'DISTRUST-CANARY'
      ? []
      : [{ place: 'who trusts the old root alone', roots: [old.certificate] }];
  const stores = [
    ...seen,
    ...(rotation.mode === 'planned' ? clients : []),
    ...(rotation.state === 'SOAKING' ? [{ place: 'who trusts the new root alone', roots: [next.certificate] }] : []),
  ];
  // In a round in which nobody told of anything nothing was tried.
  if (servers.length === 0 || stores.length === 0) return ['nothing was seen that could be tried'];
  return pathMatrix({ [authority]: { servers, stores } }, at).failing.map(printFailing);
}

/** A leaf as it will be issued, before any is. */
function trialOf({ state, mode }: AuthorityRotation, next: Generation, at: Date) {
  const isTried = state === 'TRUSTED' || (state === 'MINTED' && mode === 'planned');
  if (!isTried || next.key === undefined) return [];
  const profile = PROFILES['etcd/healthcheck-client']({ nodeName: 'trial' });
  const { cert } = issueLeaf({ cert: next.certificate, key: next.key }, profile, { notAfter: new Date(at.getTime() + 3_600_000), now: at });
  return [{ place: 'a leaf by the new root', chain: [cert, ...(next.cross === undefined ? [] : [next.cross])], role: 'client' as const }];
}
