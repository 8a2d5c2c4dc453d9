import { ErrorName } from '../contract/errors';
import { LifeboatError } from '../contract/lifeboat-error';

/** An S3 call that failed after the SDK's own retries; the message names the operation and the key. */
export class StoreFailed extends LifeboatError {
  override readonly name = ErrorName.storeFailed;
  readonly retryable = true;
}

/** A secret that is missing, unreadable or not of the expected shape. The message never holds its content. */
export class SecretUnusable extends LifeboatError {
  override readonly name = ErrorName.secretUnusable;
  readonly retryable = false;
}

/** An environment variable that the stack should have written is missing or wrong. */
export class BadConfiguration extends LifeboatError {
  override readonly name = ErrorName.badConfiguration;
  readonly retryable = false;
}

/** The event that the function was called with does not fit; nothing was done. */
export class BadEvent extends LifeboatError {
  override readonly name = ErrorName.badEvent;
  readonly retryable = false;
}

/** Another function of the lifeboat did not do what it was asked. */
export class FunctionCallFailed extends LifeboatError {
  override readonly name = ErrorName.functionCallFailed;
  readonly retryable = true;
}
