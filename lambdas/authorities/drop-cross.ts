import type { AuthoritySecret } from '../contract/certificates';
import { GenerationRefused } from './errors';
import { tell, underWay } from './generations';
import type { Step } from './generations';
import { servedCross } from './trust';

/**
 * Notes that the cross certificate is given to nobody any more. It is the last thing before closing, and an abort gives it back. A repetition changes
 * nothing.
 *
 * @throws GenerationRefused before the old generation was distrusted everywhere
 */
export function dropCross(document: AuthoritySecret, step: Step): AuthoritySecret {
  const rotation = underWay(document, step);
  if (rotation.state !== 'DISTRUSTED' || rotation.abortRequested !== undefined)
    throw new GenerationRefused(
      `${tell(document, rotation)}${rotation.abortRequested === undefined ? '' : ' and goes back'}: whoever trusts the old generation alone needs the cross certificate`,
    );
  return servedCross(document) === undefined
    ? document
    : { ...document, rotation: { ...rotation, crossDroppedAt: step.now.toISOString() } };
}
