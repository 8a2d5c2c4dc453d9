import { approvedByPerson } from '../authorities/approval';
import { GATES } from '../authorities/gate-names';
import { COMMON_CHECKS, eachNode, startedSince, withApiServer } from '../authorities/common-checks';
import { byApproval } from '../authorities/faults';
import type { Faults } from '../authorities/faults';
import { verdictOf } from '../authorities/gates';
import type { GateVerdict } from '../authorities/gates';
import type { AccountsRotation, AccountsState, RotationMode } from '../contract/authority-rotation';
import { shortId } from '../contract/short-id';
import { accountsGoBackAtOnce } from './accounts-path';
import { MOST_TOKENS, legacyTokenText, legacyTokensBy } from './observation';
import type { AccountsObservation, ApiServerSeen } from './observation';

/** What has to be proven before a state is left, as a person is told it. */
export const ACCOUNT_GATES = {
  'nodes-told': GATES['nodes-told'],
  'all-running': GATES['all-running'],
  'nodes-ready': GATES['nodes-ready'],
  'apiservers-ready': GATES['apiservers-ready'],
  'etcd-well': GATES['etcd-well'],
  'key-files': 'sa.pub of every node has the keys that verify now, and sa.key is the one that signs',
  restarted: GATES.restarted,
  verifies: 'every API server says by itself that it verifies by these keys and by no other',
  signs: 'every API server signs by the key that is to sign',
  accepts: 'every API server accepts what each of the others signs',
  soaked: GATES.soaked,
  'legacy-tokens': 'no token that never ends is left by the key that goes, or a person took that upon himself',
  approved: 'somebody approved that tokens by the old key are refused',
} as const;
export type AccountGate = keyof typeof ACCOUNT_GATES;

const ALWAYS = ['nodes-told', 'all-running', 'nodes-ready', 'apiservers-ready', 'etcd-well'] as const;
const KEYS = ['key-files', 'restarted', 'verifies', 'signs', 'accepts'] as const;

/** The gates of a state, in the order in which they are told: what one state proved the next ones prove again, since a node may come back from an old disk. */
export function accountGatesIn(state: AccountsState, mode: RotationMode): readonly AccountGate[] {
  // What lies on the nodes is as kubeadm left it, and nobody was started for it.
  if (state === 'MINTED') return [...ALWAYS, 'verifies', 'signs', 'accepts'];
  return [...ALWAYS, ...KEYS, ...(state === 'SIGNING' && mode === 'planned' ? (['soaked', 'legacy-tokens', 'approved'] as const) : [])];
}

/** The gates of the way back from a state; none where nobody loses anything by it. */
export function accountReturnGatesIn(rotation: AccountsRotation): readonly AccountGate[] {
  if (accountsGoBackAtOnce(rotation)) return [];
  switch (rotation.state) {
    case 'DROPPING':
      return [];
    // Somebody was without the old key: it does not sign before everybody verifies by it again.
    case 'SIGNING':
      return ['nodes-told', 'apiservers-ready', 'key-files', 'restarted', 'verifies'];
    case 'VERIFYING':
      return ['nodes-told', 'apiservers-ready', ...KEYS, 'soaked', 'legacy-tokens'];
    case 'MINTED':
      return ['nodes-told', 'apiservers-ready', ...KEYS];
  }
}

type Check = (observation: AccountsObservation) => Faults;
/** What is seen whatever is under way. */
type Seen = Omit<AccountsObservation, 'rotation'>;

const eachApiServer = (seen: Seen, judge: (seen: ApiServerSeen) => Faults): Faults =>
  withApiServer(seen).flatMap(({ name }) => {
    const found = seen.apiServers?.find(({ place }) => place === name);
    return found === undefined ? [`nothing is known of the apiserver of ${name}: ask it by itself`] : judge(found);
  });

const listed = (keys: readonly string[]): string => keys.map((key) => shortId(key)).join(', ') || 'none';
const same = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((each) => other.includes(each));

/** Both read sa.key at their start alone, and API servers sa.pub too. */
const READERS = ['apiserver', 'controller-manager'] as const;

const verifies = (observation: Seen): Faults =>
  eachApiServer(observation, ({ place, verifies }) => {
    const { keys } = observation.expected;
    if (verifies === undefined) return [`the apiserver of ${place} does not tell its keys (/openid/v1/jwks)`];
    return same(verifies, keys) ? [] : [`the apiserver of ${place} verifies by ${listed(verifies)}, and is to by ${listed(keys)}`];
  });

const signs = (observation: Seen): Faults =>
  eachApiServer(observation, ({ place, signs }) => {
    const [wanted = ''] = observation.expected.keys;
    if (signs === undefined) return [`the apiserver of ${place} gave no token`];
    return signs === wanted ? [] : [`the apiserver of ${place} signs by ${shortId(signs)}, and is to by ${shortId(wanted)}`];
  });

const accepts = (observation: Seen): Faults =>
  eachApiServer(observation, ({ place, acceptedBy }) =>
    withApiServer(observation).flatMap(({ name }) => {
      const answer = acceptedBy.find((each) => each.place === name)?.accepted;
      if (answer === undefined) return [`it is not known whether the apiserver of ${name} accepts what the one of ${place} signs`];
      return answer ? [] : [`the apiserver of ${name} refuses what the one of ${place} signs`];
    }),
  );

/** What API servers show that is not as it is to be, each asked by itself. */
export const apiServerFaults = (seen: Seen): Faults => [...verifies(seen), ...signs(seen), ...accepts(seen)];

const CHECKS: Readonly<Record<AccountGate, Check>> = {
  ...COMMON_CHECKS,
  'key-files': (observation) =>
    eachNode(observation, ({ name, verifies, signsByFirst }) => {
      const { keys } = observation.expected;
      if (verifies.join() !== keys.join()) return [`sa.pub of ${name} has ${listed(verifies)}, and is to have ${listed(keys)}`];
      return signsByFirst ? [] : [`sa.key of ${name} is not the key ${listed(keys.slice(0, 1))} that is to sign`];
    }),
  restarted: (observation) =>
    eachNode(observation, ({ name, processes }, { runs }) =>
      READERS.filter((component) => runs.includes(component)).flatMap((component) =>
        startedSince(name, processes, component, { files: 'keys', because: 'it reads them at its start' }),
      ),
    ),
  verifies,
  signs,
  accepts,
  'legacy-tokens': ({ legacy, rotation: { from, to, approvedBy, abortRequested } }) => {
    if (legacy === undefined) return ['it is not known which tokens never end: list the Secrets'];
    const [goes, stays] = abortRequested === undefined ? [from, to] : [to, from];
    // On the way back tokens that nobody knows were not valid before either.
    const left = abortRequested === undefined ? legacyTokensBy(legacy, [stays]) : legacy.filter(({ key }) => key === goes);
    if (abortRequested === undefined && approvedByPerson({ approvedBy })) return [];
    const told = left
      .slice(0, MOST_TOKENS)
      .map((token) =>
        abortRequested === undefined
          ? byApproval(legacyTokenText(token, goes))
          : `the Secret ${token.namespace}/${token.name} has a token by the key that goes again: delete it, and make it anew`,
      );
    const more = `the legacy token list goes on: ${left.length - MOST_TOKENS} more`;
    return left.length <= MOST_TOKENS ? told : [...told, abortRequested === undefined ? byApproval(more) : more];
  },
  approved: ({ rotation: { approvedBy } }) =>
    approvedBy === undefined ? [byApproval('nobody approved that tokens by the old key are refused')] : [],
};

/** Whether a state may be left, forth or back. What was not observed is never fine. */
export function accountsMayLeave(observation: AccountsObservation): GateVerdict {
  const { rotation } = observation;
  const gates = rotation.abortRequested === undefined ? accountGatesIn(rotation.state, rotation.mode) : accountReturnGatesIn(rotation);
  return verdictOf(gates.map((gate) => ({ what: ACCOUNT_GATES[gate], faults: CHECKS[gate](observation) })));
}
