import { ErrorName } from '../contract/errors';
import { LifeboatError } from '../contract/lifeboat-error';

/** No API server answered, or one refused what it was asked. */
export class ApiRefused extends LifeboatError {
  override readonly name = ErrorName.apiRefused;
  readonly retryable = true;
}

/** What kubeadm keeps of a cluster cannot be read well enough to be changed: nothing of it was changed. */
export class KubeadmConfigUnclear extends LifeboatError {
  override readonly name = ErrorName.kubeadmConfigUnclear;
  readonly retryable = false;
}
