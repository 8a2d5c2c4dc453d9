import type { Manifest } from '../contract/manifest';
import type { RestoreRequest } from '../contract/restore';

/** A snapshot that is listed, or why what is listed cannot be restored. */
export type Candidate =
  { readonly kind: 'snapshot'; readonly manifest: Manifest } | { readonly kind: 'damaged'; readonly id: string; readonly because: string };

export type Choice = { readonly manifest: Manifest } | { readonly refused: string };

/** What a restore took before it began; nobody gets it who does not name it. */
export const isFromBeforeRestore = ({ trigger }: Pick<Manifest, 'trigger'>): boolean => trigger === 'pre-restore';

/** Why, wherever such a one is all there is. */
export const BEFORE_RESTORE = 'of the state that somebody wanted to get away from';

/**
 * The snapshot that a request means: the one that it names, or the newest verified one. Ids begin with the time at which a snapshot was taken.
 *
 * `latest` passes over what restores took before they began: that is the state that somebody wanted to get away from.
 */
export function chooseSnapshot(candidates: readonly Candidate[], { snapshot, allowUnverified }: RestoreRequest): Choice {
  const listed = candidates.flatMap((each) => (each.kind === 'snapshot' ? [each.manifest] : [])).sort(newestFirst);
  const wanted = listed.filter((each) => !isFromBeforeRestore(each));
  const newest = wanted.find(({ verified }) => verified);
  if (snapshot === 'latest') {
    const chosen = newest ?? (allowUnverified ? wanted[0] : undefined);
    if (chosen !== undefined) return { manifest: chosen };
    const safety = beforeRestores(listed, allowUnverified);
    const unverified = wanted.length === 0 ? '' : `, and ${wanted.length} that are not: allowUnverified takes the newest of them`;
    return { refused: `there is no verified snapshot${unverified}${safety}${damagedText(candidates)}` };
  }
  const suggestion = newest === undefined ? '' : `: the newest verified one is ${newest.id}`;
  const damaged = candidates.find((each) => each.kind === 'damaged' && each.id === snapshot);
  if (damaged?.kind === 'damaged') return { refused: `snapshot ${snapshot} is damaged (${damaged.because})${suggestion}` };
  const chosen = listed.find(({ id }) => id === snapshot);
  if (chosen === undefined) return { refused: `snapshot ${snapshot} is not listed${suggestion}` };
  if (!chosen.verified && !allowUnverified)
    return {
      refused: `snapshot ${snapshot} is not verified (${failedChecks(chosen)})${suggestion}; allowUnverified restores it all the same`,
    };
  return { manifest: chosen };
}

const newestFirst = (a: Manifest, b: Manifest): number => b.takenAt.localeCompare(a.takenAt) || b.revision - a.revision;

/** The newest of those that restores took before they began, where one would do. */
function beforeRestores(listed: readonly Manifest[], allowUnverified: boolean): string {
  const safety = listed.find((each) => isFromBeforeRestore(each) && (each.verified || allowUnverified));
  if (safety === undefined) return '';
  return `; ${safety.id} is from before a restore, ${BEFORE_RESTORE}: {"snapshot":"${safety.id}"} takes it all the same`;
}

export const failedChecks = ({ checks }: Manifest): string =>
  checks
    .filter(({ passed }) => !passed)
    .map(({ name, detail }) => (detail === undefined ? name : `${name}: ${detail}`))
    .join('; ') || 'no check says why';

function damagedText(candidates: readonly Candidate[]): string {
  const damaged = candidates.flatMap((each) => (each.kind === 'damaged' ? [`${each.id}: ${each.because}`] : []));
  return damaged.length === 0 ? '' : ` (damaged: ${damaged.slice(0, 5).join('; ')})`;
}
