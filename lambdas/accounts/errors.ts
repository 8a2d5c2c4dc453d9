import { ErrorName } from '../contract/errors';
import { LifeboatError } from '../contract/lifeboat-error';

/** What is to be done with the key pair of service accounts does not fit what is noted of it: nothing was changed. */
export class KeyPairRefused extends LifeboatError {
  override readonly name = ErrorName.keyPairRefused;
  readonly retryable = false;
}
