import { isDeepStrictEqual } from 'node:util';
import { MOST_NAMED } from '../contract/authority-rotation';
import type { AuthorityRotation } from '../contract/authority-rotation';
import type { AuthoritySecret } from '../contract/certificates';
import { few } from './approval-names';
import { GenerationRefused } from './errors';
import { tell, underWay } from './generations';
import type { Step } from './generations';

/**
 * Notes who agreed that the old generation is distrusted, with what was named to him by then; the first one stays. Who approves once it is distrusted
 * somewhere says so of those who are named as refused by then.
 *
 * @throws GenerationRefused
 */
export function approve(document: AuthoritySecret, by: string, step: Step): AuthoritySecret {
  const rotation = underWay(document, step);
  if (rotation.approvedBy !== undefined && rotation.distrustBegan === undefined) return document;
  if (rotation.abortRequested !== undefined)
    throw new GenerationRefused(
      `${tell(document, rotation)}, and ${rotation.abortRequested.by} asked to abort it: there is nothing to approve`,
    );
  const { named = [], refusalsSeen } = rotation;
  if (rotation.approvedBy !== undefined) {
    const all = [...new Set([...named, ...(refusalsSeen?.named ?? [])])];
    if (all.length === (refusalsSeen?.named ?? []).length) return document;
    return { ...document, rotation: { ...rotation, refusalsSeen: { by, at: step.now.toISOString(), named: few(all) } } };
  }
  const approval = { by, at: step.now.toISOString(), named };
  return { ...document, rotation: { ...rotation, approvedBy: by, approval } };
}

/** Who agreed where nobody was to be asked. Nobody has read what was named then, nor which tokens end. */
export const ASKED_FOR_ITSELF = 'the request itself';

/** Whether a person agreed, and not only the request. */
export const approvedByPerson = ({ approvedBy }: { readonly approvedBy?: string | undefined }): boolean =>
  approvedBy !== undefined && approvedBy !== ASKED_FOR_ITSELF;

/** What was named to whoever approved; `all` where it was more than is noted, and where nobody is to be asked. */
export function approvedNames({ approval, refusalsSeen }: Pick<AuthorityRotation, 'approval' | 'refusalsSeen'>): readonly string[] | 'all' {
  const seen = refusalsSeen?.named ?? [];
  return seen.length > MOST_NAMED || approval?.by === ASKED_FOR_ITSELF ? 'all' : [...(approval?.named ?? []), ...seen];
}

/**
 * Notes what whoever approves is told that nobody here can see to; what was approved stays as it was named. In one order, so that a log that tells of
 * the same clients in another one changes nothing: Secrets Manager keeps each version that is younger than a day, and about a hundred in all.
 *
 * @throws GenerationRefused
 */
export function noteNamed(document: AuthoritySecret, names: readonly string[], step: Step): AuthoritySecret {
  const rotation = underWay(document, step);
  const named = few([...names].sort());
  return isDeepStrictEqual(rotation.named ?? [], named) ? document : { ...document, rotation: { ...rotation, named } };
}
