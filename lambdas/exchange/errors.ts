import { ErrorName } from '../contract/errors';
import { LifeboatError } from '../contract/lifeboat-error';

/** An exchange of an authority cannot be done as it is asked for: nothing was changed. */
export class ExchangeRefused extends LifeboatError {
  override readonly name = ErrorName.exchangeRefused;
  readonly retryable = false;
}
