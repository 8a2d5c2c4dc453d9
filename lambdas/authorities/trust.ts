import type { RotationState } from '../contract/authority-rotation';
import type { AuthoritySecret, Generation } from '../contract/certificates';
import { printBundle } from '../pki/bundle';

/** What is to be trusted of an authority; the bundle has the same certificates in the same order, PEM. */
export interface Trusted {
  /** Generations, the one that signs first. */
  readonly ids: readonly string[];
  readonly certificates: readonly string[];
  /** Written when it is asked for: not everybody needs the file. */
  readonly bundle: string;
}

/** By whom leaves are signed now, and what is served after each of them. */
export interface Issuing {
  readonly id: string;
  readonly certificate: string;
  /** Missing for an external CA. */
  readonly key: string | undefined;
  /** PEM, to be written after the leaf: with it whoever trusts the old root alone accepts the leaf too. Empty where it is not served. */
  readonly chain: readonly string[];
}

type Pair = 'old' | 'both' | 'next';

const TRUSTED: Readonly<Record<RotationState, Pair>> = {
  MINTED: 'old',
  TRUSTED: 'both',
  ISSUING: 'both',
  SOAKING: 'both',
  'DISTRUST-CANARY': 'both',
  DISTRUSTED: 'next',
};

/**
 * The roots that are distributed now. What signs comes first, since old clients take the first certificate of a file for the signer, and the
 * others follow from young to old: the same document gives the same bytes, or every round would restart somebody.
 *
 * @param canary for the one place that distrusts the old generation before the others do
 */
export function trustedIn(document: AuthoritySecret, { canary = false }: { readonly canary?: boolean } = {}): Trusted {
  const { rotation, issuing } = document;
  const pair = rotation === undefined ? 'both' : rotation.state === 'DISTRUST-CANARY' && canary ? 'next' : TRUSTED[rotation.state];
  const is = ({ id, state }: Generation): boolean => {
    if (id === rotation?.from) return pair !== 'next';
    if (id === rotation?.to) return pair !== 'old';
    return state !== 'closed';
  };
  const young = document.generations.filter(is).reverse();
  const sorted = [...young.filter(({ id }) => id === issuing), ...young.filter(({ id }) => id !== issuing)];
  const certificates = sorted.map(({ certificate }) => certificate);
  return {
    ids: sorted.map(({ id }) => id),
    certificates,
    get bundle() {
      return printBundle(certificates);
    },
  };
}

/** The generation that signs; undefined for a document that names none of its own. */
export const signingIn = ({ generations, issuing }: Pick<AuthoritySecret, 'generations' | 'issuing'>): Generation | undefined =>
  generations.find(({ id }) => id === issuing);

/**
 * Who signs leaves now. The cross certificate is served until all distrust the old generation, and not only until that begins: a member of etcd knows
 * the old root alone until it restarts, and the last one restarts in that state. Then it is taken away before the rotation is closed, as long as there
 * is a way back for whoever is found to have needed it.
 *
 * Undefined for a document that names none of its generations.
 */
export function issuingIn(document: AuthoritySecret): Issuing | undefined {
  const signer = signingIn(document);
  if (signer === undefined) return undefined;
  const cross = servedCross(document);
  return { id: signer.id, certificate: signer.certificate, key: signer.key, chain: cross === undefined ? [] : [cross] };
}

/** The cross certificate that is served after each leaf, PEM; undefined where none is. */
export function servedCross(document: Pick<AuthoritySecret, 'generations' | 'issuing' | 'rotation'>): string | undefined {
  const { issuing, rotation } = document;
  const serves = rotation?.mode === 'planned' && rotation.to === issuing && rotation.crossDroppedAt === undefined;
  return serves ? signingIn(document)?.cross : undefined;
}
