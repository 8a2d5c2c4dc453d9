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

/** No key of an authority is here to sign with: an external CA, or a cluster that was never adopted. */
export class SignerAway extends LifeboatError {
  override readonly name = ErrorName.signerAway;
  readonly retryable = false;
}

/** Secrets Manager asked for a step that does not fit the state of the secret. */
export class RotationRefused extends LifeboatError {
  override readonly name = ErrorName.rotationRefused;
  readonly retryable = false;
}

/** The cluster would not survive that this node's etcd is disturbed now, or another runbook works on the nodes. */
export class RotationPostponed extends LifeboatError {
  override readonly name = ErrorName.rotationPostponed;
  readonly retryable = true;
}

/** A port does not serve what was installed, or refuses who must get in. */
export class CertificatesNotProven extends LifeboatError {
  override readonly name = ErrorName.certificatesNotProven;
  readonly retryable = true;
}

/** A repair cannot be done as it is asked for: nothing was changed on any node. */
export class RepairRefused extends LifeboatError {
  override readonly name = ErrorName.repairRefused;
  readonly retryable = false;
}
