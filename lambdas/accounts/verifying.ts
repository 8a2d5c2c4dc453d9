import { createHash } from 'node:crypto';
import type { AccountsState } from '../contract/authority-rotation';
import type { KeyGeneration, ServiceAccountsSecret } from '../contract/certificates';

/** By which keys tokens are signed and verified now, on every node alike. */
export interface AccountKeys {
  /** Generations, the one that signs first. */
  readonly ids: readonly string[];
  /** PEM of their public keys, in the same order: the bytes of sa.pub. */
  readonly publicKeys: string;
  /** PEM; missing where it is kept elsewhere. */
  readonly privateKey: string | undefined;
  /** Whether nodes are given them: a pair that was never exchanged lies on its nodes since kubeadm put it there. */
  readonly distributed: boolean;
  /** The same as long as they are the same. */
  readonly stamp: string;
}

const VERIFYING: Readonly<Record<AccountsState, 'old' | 'both' | 'next'>> = {
  MINTED: 'old',
  VERIFYING: 'both',
  SIGNING: 'both',
  DROPPING: 'next',
};

/** The pair that signs; undefined for a document that names none of its own. */
export const pairThatSigns = ({ generations, issuing }: ServiceAccountsSecret): KeyGeneration | undefined =>
  generations.find(({ id }) => id === issuing);

/**
 * The keys as they are distributed now. Who signs comes first, since whoever reads one key of a file reads the first; the same document gives the same
 * bytes, or every round would start API servers anew. An API server verifies by every key in the file (client-go util/keyutil, PublicKeysFromFile),
 * and `kubeadm upgrade` and `kubeadm join` leave an existing pair alone (kubernetes cmd/kubeadm/app/phases/certs/certs.go).
 *
 * Undefined for a document that names none of its pairs.
 */
export function accountKeysOf(document: ServiceAccountsSecret): AccountKeys | undefined {
  const { rotation, issuing, generations } = document;
  const signer = pairThatSigns(document);
  if (signer === undefined) return undefined;
  const which = rotation === undefined ? 'both' : VERIFYING[rotation.state];
  const verifies = ({ id, state }: KeyGeneration): boolean => {
    if (id === rotation?.from) return which !== 'next';
    if (id === rotation?.to) return which !== 'old';
    return state !== 'closed';
  };
  const young = generations.filter(verifies).reverse();
  const sorted = [...young.filter(({ id }) => id === issuing), ...young.filter(({ id }) => id !== issuing)];
  const ids = sorted.map(({ id }) => id);
  return {
    ids,
    publicKeys: sorted.map(({ publicKey }) => (publicKey.endsWith('\n') ? publicKey : `${publicKey}\n`)).join(''),
    privateKey: signer.privateKey,
    distributed: rotation !== undefined || generations.length > 1,
    stamp: createHash('sha256').update(JSON.stringify(ids)).digest('hex'),
  };
}
