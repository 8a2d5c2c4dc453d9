import { ErrorName } from '../contract/errors';
import { LifeboatError } from '../contract/lifeboat-error';

/** Systems Manager itself did not take a request: nothing is known of the node. */
export class NodesUnreachable extends LifeboatError {
  override readonly name = ErrorName.nodesUnreachable;
  readonly retryable = true;
}
