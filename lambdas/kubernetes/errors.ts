import { ErrorName } from '../contract/errors';
import { LifeboatError } from '../contract/lifeboat-error';

/** No API server answered, or one refused what it was asked. */
export class ApiRefused extends LifeboatError {
  override readonly name = ErrorName.apiRefused;
  readonly retryable = true;
}
