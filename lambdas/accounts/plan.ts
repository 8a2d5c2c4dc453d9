import { textOf } from '../authorities/faults';
import { commonRefusalsOf } from '../authorities/refusals';
import type { Refusal } from '../authorities/refusals';
import type { Component } from '../authorities/restarts';
import { LIMITS } from '../authorities/rotation-facts';
import type { Limits, RotationFacts, RotationRequest } from '../authorities/rotation-facts';
import type { PlannedState } from '../authorities/rotation-plan';
import { ACCOUNTS_STATES } from '../contract/authority-rotation';
import type { AccountsState, RotationMode } from '../contract/authority-rotation';
import type { ServiceAccountsSecret } from '../contract/certificates';
import { shortId } from '../contract/short-id';
import { accountsWaitIn } from './accounts-path';
import { ACCOUNT_GATES, accountGatesIn, apiServerFaults } from './gates';
import { legacyTokensBy } from './observation';
import type { AccountFilesSeen, AccountsObservation, LegacyToken } from './observation';
import { accountsDoneIn, accountsWayBackFrom } from './state-texts';
import { pairThatSigns } from './verifying';

export interface AccountsFacts extends Omit<RotationFacts, 'document'> {
  readonly document: ServiceAccountsSecret | undefined;
  readonly files: readonly AccountFilesSeen[];
  /** Components whose flags name other files than sa.pub and sa.key beside the certificates. */
  readonly elsewhere: readonly { readonly node: string; readonly component: Component }[];
  readonly apiServers: AccountsObservation['apiServers'];
  /** Undefined where they could not be listed. */
  readonly legacy: readonly LegacyToken[] | undefined;
}

/** `soakSeconds`: @default 86400. */
export type AccountsRequest = Pick<RotationRequest, 'id' | 'mode' | 'soakSeconds' | 'onBehalfOf'>;

export type AccountsPlan =
  | {
      readonly decision: 'rotate';
      readonly states: readonly PlannedState<AccountsState>[];
      /** Tokens that never end and end with the old key: somebody has to see to them. */
      readonly legacy: readonly LegacyToken[];
      /** What clients will notice; undefined for nothing. */
      readonly downtime: string | undefined;
      /** The whole at most, seconds. */
      readonly seconds: number;
    }
  | ({ readonly decision: 'refuse'; readonly all: readonly Refusal[] } & Refusal);

const RESTARTS: Readonly<Record<AccountsState, readonly Component[]>> = {
  MINTED: [],
  VERIFYING: ['apiserver'],
  SIGNING: ['apiserver', 'controller-manager'],
  DROPPING: ['apiserver'],
};
const BECAUSE: Readonly<Partial<Record<Component, string>>> = {
  apiserver: 'it reads --service-account-key-file and --service-account-signing-key-file at its start',
  'controller-manager': 'it reads --service-account-private-key-file at its start',
};

/** What an exchange of the pair would do state by state, or all reasons why it cannot begin; the first of them is to be mended first. */
export function planAccounts(facts: AccountsFacts, request: AccountsRequest, limits: Limits = LIMITS): AccountsPlan {
  const all = [
    ...commonRefusalsOf({ facts, request: { ...request, authority: 'service-accounts' }, limits }),
    ...held(facts),
    ...elsewhere(facts),
    ...drift(facts, request),
  ];
  const [first] = all;
  if (first !== undefined) return { decision: 'refuse', ...first, all };
  const { mode, soakSeconds } = request;
  const asked = { mode, ...(soakSeconds !== undefined && { soakSeconds }) };
  const waits = (state: AccountsState): number => accountsWaitIn({ ...asked, state });
  return {
    decision: 'rotate',
    states: ACCOUNTS_STATES.map((state) => ({
      state,
      does: accountsDoneIn(state, mode),
      restarts: facts.nodes.flatMap(({ name, runs }) =>
        RESTARTS[state]
          .filter((component) => runs.includes(component))
          .map((component) => ({ node: name, component, count: 1, because: BECAUSE[component] ?? '' })),
      ),
      gates: accountGatesIn(state, mode).map((gate) => ACCOUNT_GATES[gate]),
      waits: waits(state),
      wayBack: accountsWayBackFrom(state, mode),
    })),
    legacy: legacyTokensBy(facts.legacy ?? [], []),
    downtime: downtimeOf(facts, mode),
    seconds: ACCOUNTS_STATES.reduce(
      (sum, state) => sum + waits(state) + (RESTARTS[state].length > 0 ? facts.nodes.length * limits.nodeSeconds : 0),
      0,
    ),
  };
}

const refuse = (because: string, instead: string): readonly Refusal[] => [{ because, instead }];

function held({ document }: AccountsFacts): readonly Refusal[] {
  if (document === undefined) return refuse('the lifeboat holds no key pair of service accounts', 'adopt the cluster first');
  const signer = pairThatSigns(document);
  if (signer === undefined)
    return refuse(`${shortId(document.issuing)} is to sign tokens, and is none of the pairs in the secret`, 'mend its field issuing');
  return signer.privateKey === undefined
    ? refuse(
        `the private key of ${shortId(signer.id)} is not here: tokens are signed elsewhere`,
        'rotate it where it is, and adopt the new one',
      )
    : [];
}

const elsewhere = ({ elsewhere: found }: AccountsFacts): readonly Refusal[] =>
  found.flatMap(({ node, component }) =>
    refuse(
      `the flags of the ${component} of ${node} name other files than pki/sa.pub and pki/sa.key, or several`,
      'have it read those two, as kubeadm does, or rotate the keys by hand',
    ),
  );

/** One that is planned again while it is under way is between two pairs, and its gates look after that. */
function drift({ document, files, apiServers, nodes, now }: AccountsFacts, { id }: AccountsRequest): readonly Refusal[] {
  if (document === undefined || document.rotation?.id === id) return [];
  const keys = [document.issuing];
  const written = files
    .filter(({ verifies, signsByFirst }) => verifies.join() !== keys.join() || !signsByFirst)
    .flatMap(({ name, verifies }) =>
      refuse(
        `sa.pub of ${name} has ${verifies.map(shortId).join(', ') || 'no key'}, and ${shortId(document.issuing)} signs by its secret, or sa.key there is another`,
        'give the node the pair that the others have, and start its API server again',
      ),
    );
  const expected = { nodes, keys, readyNodes: 0, voters: 0 };
  const shown = apiServerFaults({ at: now, expected, ...(apiServers && { apiServers }) });
  return [
    ...written,
    ...shown.flatMap((each) =>
      refuse(textOf(each), 'see that every API server was started after its keys were written, and reads no others'),
    ),
  ];
}

function downtimeOf({ nodes }: AccountsFacts, mode: RotationMode): string | undefined {
  const alone = nodes.filter(({ role }) => role === 'control-plane').length < 2;
  const parts = [
    ...(alone ? ['the API is away three times while the apiserver of the only control-plane node restarts'] : []),
    ...(mode === 'compromise'
      ? [
          'every token by the old key is refused at once, those of running pods too: their kubelets give them the next ones after up to an hour, or as soon as kubelets or pods are started anew; tokens that never end are refused for ever',
        ]
      : []),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}
