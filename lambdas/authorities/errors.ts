import { ErrorName } from '../contract/errors';
import { LifeboatError } from '../contract/lifeboat-error';

/** What is to be done with a generation of an authority does not fit what is noted of it: nothing was changed. */
export class GenerationRefused extends LifeboatError {
  override readonly name = ErrorName.generationRefused;
  readonly retryable = false;
}

/** Chains cannot be tried against stores as asked, since the answer would look complete and not be it. */
export class MatrixIncomplete extends LifeboatError {
  override readonly name = ErrorName.matrixIncomplete;
  readonly retryable = false;
}
