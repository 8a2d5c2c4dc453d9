import { ErrorName } from '../contract/errors';
import { LifeboatError } from '../contract/lifeboat-error';

/** Route 53 or the load balancer did not answer, or refused: nothing is known, which is not the same as nothing being there. */
export class DnsFailed extends LifeboatError {
  override readonly name = ErrorName.dnsFailed;
  readonly retryable = true;
}
