import type { AccountsState, RotationMode } from '../contract/authority-rotation';
import { accountsStateBefore } from './accounts-path';

/** What is done in a state, in its order, as a person is told it. */
export function accountsDoneIn(state: AccountsState, mode: RotationMode): readonly string[] {
  switch (state) {
    case 'MINTED':
      return ['see that a verified snapshot of etcd is there', 'make the next key pair, of the same kind as the present one'];
    case 'VERIFYING':
      return [
        'put both public keys into sa.pub of every node, node by node, and start its API server again',
        'go on to sign by the old key',
      ];
    case 'SIGNING':
      return [
        'put the new private key into sa.key of every node, node by node, and start its API server and controller-manager again',
        ...(mode === 'planned' ? ['wait until tokens by the old key have run out', 'list every token that never ends'] : []),
      ];
    case 'DROPPING':
      return [
        'take the old public key out of sa.pub of every node, node by node, and start its API server again',
        'destroy the old private key, and keep the public one as long as snapshots are left from its time',
      ];
  }
}

/** How it goes back from a state, and what that costs. */
export function accountsWayBackFrom(state: AccountsState, mode: RotationMode): string {
  if (accountsStateBefore(mode, state) === undefined)
    return 'none: the old key is known elsewhere, and what went wrong is repaired under the new one';
  switch (state) {
    case 'MINTED':
      return 'forget the new pair: nobody has seen it';
    case 'VERIFYING':
      return 'take the new public key out again, by one more start of each API server: nothing is signed by it yet';
    case 'SIGNING':
      return 'sign by the old key again, which everybody still verifies by; wait until tokens by the new one have run out, and take it out then';
    case 'DROPPING':
      return 'verify by both again as long as the old private key is there; tokens by the old key that were refused meanwhile are good again';
  }
}
