import { ErrorName } from '../contract/errors';
import { LifeboatError } from '../contract/lifeboat-error';

/** Systems Manager itself did not take a request: nothing is known of the node. */
export class NodesUnreachable extends LifeboatError {
  override readonly name = ErrorName.nodesUnreachable;
  readonly retryable = true;
}

/** A document did not do what it should on some nodes. */
export class NodesFailed extends LifeboatError {
  override readonly name = ErrorName.nodesFailed;
  readonly retryable = false;
}
