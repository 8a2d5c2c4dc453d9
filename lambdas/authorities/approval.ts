import { isDeepStrictEqual } from 'node:util';
import type { AuthoritySecret } from '../contract/certificates';
import { few } from './approval-names';
import { GenerationRefused } from './errors';
import { tell, underWay } from './generations';
import type { Step } from './generations';

/**
 * Notes who agreed that the old generation is distrusted, with what was named to him by then; the first one stays.
 *
 * @throws GenerationRefused
 */
export function approve(document: AuthoritySecret, by: string, step: Step): AuthoritySecret {
  const rotation = underWay(document, step);
  if (rotation.approvedBy !== undefined) return document;
  if (rotation.abortRequested !== undefined)
    throw new GenerationRefused(
      `${tell(document, rotation)}, and ${rotation.abortRequested.by} asked to abort it: there is nothing to approve`,
    );
  const approval = { by, at: step.now.toISOString(), named: rotation.named ?? [] };
  return { ...document, rotation: { ...rotation, approvedBy: by, approval } };
}

/** Notes what whoever approves is told that nobody here can see to; what was approved stays as it was named. @throws GenerationRefused */
export function noteNamed(document: AuthoritySecret, names: readonly string[], step: Step): AuthoritySecret {
  const rotation = underWay(document, step);
  const named = few(names);
  return isDeepStrictEqual(rotation.named ?? [], named) ? document : { ...document, rotation: { ...rotation, named } };
}
