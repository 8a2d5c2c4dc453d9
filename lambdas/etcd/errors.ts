import { ErrorName } from '../contract/errors';
import { LifeboatError } from '../contract/lifeboat-error';

/** No answer from any endpoint, or from the one that was asked. */
export class EtcdUnreachable extends LifeboatError {
  override readonly name = ErrorName.etcdUnreachable;
  readonly retryable = true;
}

/** A member was reached, but the two sides do not accept each other's certificates: waiting does not help. */
export class EtcdTlsRefused extends LifeboatError {
  override readonly name = ErrorName.etcdTlsRefused;
  readonly retryable = false;
}

/** The snapshot stream stopped before its end. */
export class SnapshotStreamBroken extends LifeboatError {
  override readonly name = ErrorName.snapshotStreamBroken;
  readonly retryable = true;
}
