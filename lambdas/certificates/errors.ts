import { ErrorName } from '../contract/errors';
import { LifeboatError } from '../contract/lifeboat-error';

/** The PKI that the nodes have cannot be taken over as it is: nothing was changed anywhere. */
export class AdoptionRefused extends LifeboatError {
  override readonly name = ErrorName.adoptionRefused;
  readonly retryable = false;
}

/** What a node handed over, or what lies in a secret, is not what it should be. */
export class PkiUnusable extends LifeboatError {
  override readonly name = ErrorName.pkiUnusable;
  readonly retryable = false;
}
