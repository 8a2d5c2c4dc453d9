import { ACCOUNTS_STATES } from '../contract/authority-rotation';
import type { AccountsRotation, AccountsState, RotationMode } from '../contract/authority-rotation';

/** Where it may be, and where it ends: at `STEADY` of the pair before, or of the next one. */
export type AccountsPlace = AccountsState | 'STEADY';

type Rotation = Pick<
  AccountsRotation,
  'mode' | 'state' | 'stateSince' | 'soakSeconds' | 'abortRequested' | 'signingBegan' | 'distrustBegan'
>;

/**
 * How long tokens of before are waited for where nothing else is asked, seconds. A token that is bound to a pod lives an hour, its kubelet gets
 * the next one at 80 % of that, and clients read the file anew every minute: an hour would do for them. Whoever asks for tokens of his own may have
 * asked for some hours, and a kubelet may have been away as long; so a day. With `--service-account-extend-token-expiration` the old ones stay
 * formally valid for a year, for clients that read their file once at their start: whoever does so is not waited for.
 */
export const ACCOUNTS_SOAK_SECONDS = 86_400;

const BACK: Readonly<Record<AccountsState, AccountsPlace>> = {
  MINTED: 'STEADY',
  VERIFYING: 'MINTED',
  SIGNING: 'VERIFYING',
  DROPPING: 'SIGNING',
};

/** What follows a state; undefined after the last one, which is left by closing. */
export const accountsStateAfter = (state: AccountsState): AccountsState | undefined => ACCOUNTS_STATES[ACCOUNTS_STATES.indexOf(state) + 1];

/** Where an aborted one goes from a state; undefined where there is no way back: nobody verifies again by a key that somebody else has. */
export const accountsStateBefore = (mode: RotationMode, state: AccountsState): AccountsPlace | undefined =>
  mode === 'compromise' && state === 'DROPPING' ? undefined : BACK[state];

/**
 * From where an aborted one goes back with nothing to be proven, and nothing of the state has to be there first: as long as nobody has a token by
 * the new key, or everybody still verifies by both.
 */
export const accountsGoBackAtOnce = ({
  state,
  abortRequested,
  signingBegan,
  distrustBegan,
}: Omit<Rotation, 'mode' | 'stateSince'>): boolean => {
  if (abortRequested === undefined) return false;
  switch (state) {
    case 'DROPPING':
      return true;
    case 'SIGNING':
      return distrustBegan === undefined;
    case 'VERIFYING':
      return signingBegan === undefined;
    // On the way back from a later state what that gave is taken back there.
    case 'MINTED':
      return abortRequested.in === 'MINTED';
  }
};

/** Seconds for which tokens of before are waited for in a state: by the old key on the way forth, by the new one on the way back. */
export function accountsWaitIn({
  state,
  mode,
  soakSeconds = ACCOUNTS_SOAK_SECONDS,
  abortRequested,
  signingBegan,
}: Omit<Rotation, 'stateSince'>): number {
  if (abortRequested !== undefined) return state === 'VERIFYING' && signingBegan !== undefined ? soakSeconds : 0;
  return state === 'SIGNING' && mode === 'planned' ? soakSeconds : 0;
}

/**
 * Until when the present state lasts at least.
 *
 * @param switchedAt when the last node was given another key to sign by: until it was started again, within two minutes, it signed by the one before
 */
export function accountsSoakUntil(rotation: Rotation, switchedAt?: Date): Date {
  const since = Math.max(new Date(rotation.stateSince).getTime(), switchedAt?.getTime() ?? 0);
  return new Date(since + accountsWaitIn(rotation) * 1_000);
}
