import type { GenerationState } from '../contract/authority-rotation';
import type { Eras, PkiName } from '../contract/pki-generations';

/** A snapshot that still exists, as far as it is about the PKI of its time. */
export interface KeptSnapshot {
  readonly takenAt: Date;
  /** By which generations the cluster lived; of nothing that nobody knew then. */
  readonly eras: Eras;
}

interface Kept {
  readonly id: string;
  readonly state?: GenerationState | undefined;
  readonly mintedAt?: string | undefined;
  readonly closedAt?: string | undefined;
}

/**
 * Forgets closed generations of which no snapshot is left.
 *
 * @param document an authority's or that of the key pairs of service accounts
 * @param kept all snapshots that exist. Undefined: one of them tells nothing; empty: there are none, which may as well be a listing that failed;
 *   in both cases all generations stay
 */
export function prune<Document extends { readonly issuing: string; readonly generations: Kept[] }>(
  of: PkiName,
  document: Document,
  kept: readonly KeptSnapshot[] | undefined,
): Document {
  if (kept === undefined || kept.length === 0) return document;
  const gone = (generation: Kept): boolean =>
    generation.state === 'closed' && generation.id !== document.issuing && !isNeeded(of, generation, kept);
  return document.generations.some(gone) ? { ...document, generations: document.generations.filter((each) => !gone(each)) } : document;
}

/**
 * Whether a snapshot may hold objects of the time of a generation: one that names it, and one that was taken while it was there, too. What a snapshot
 * names was noted before, and may have been late by a day; and one from before such notes names nothing.
 *
 * @param generation an authority's or a key pair of service accounts; without `closedAt` it is needed
 */
export function isNeeded(of: PkiName, { id, mintedAt, closedAt }: Omit<Kept, 'state'>, kept: readonly KeptSnapshot[]): boolean {
  if (closedAt === undefined) return true;
  return kept.some(({ takenAt, eras }) => {
    const era = eras[of];
    const named = era !== undefined && (era.issuing === id || era.trusted.includes(id));
    // Of one that was adopted nobody knows since when it was there.
    const there = takenAt <= new Date(closedAt) && (mintedAt === undefined || takenAt >= new Date(mintedAt));
    return named || there;
  });
}
