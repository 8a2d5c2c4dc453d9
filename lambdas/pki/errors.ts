import { ErrorName } from '../contract/errors';
import { LifeboatError } from '../contract/lifeboat-error';

/** Of certificates and keys. Never retryable: the same bytes give the same answer. No message and no cause may hold key material. */
abstract class PkiError extends LifeboatError {
  readonly retryable = false;
}

/** A key of a kind that this room neither issues for nor signs with. */
export class UnsupportedKey extends PkiError {
  override readonly name = ErrorName.unsupportedKey;
}

/** Bytes that are not the certificate they should be. */
export class CertificateUnreadable extends PkiError {
  override readonly name = ErrorName.certificateUnreadable;
}

/** A file of several PEM blocks, one of which is not a certificate. */
export class BundleDamaged extends PkiError {
  override readonly name = ErrorName.bundleDamaged;
}

/** A file that kubectl could not use either. */
export class KubeconfigUnreadable extends PkiError {
  override readonly name = ErrorName.kubeconfigUnreadable;
}

/** What a leaf should be made for cannot stand in a certificate. */
export class BadLeafInput extends PkiError {
  override readonly name = ErrorName.badLeafInput;
}

/** An authority that must not sign, or not now. */
export class SignerUnusable extends PkiError {
  override readonly name = ErrorName.signerUnusable;
}

/** A certificate signing request that proves nothing. */
export class RequestRefused extends PkiError {
  override readonly name = ErrorName.requestRefused;
}

/** What was just made did not pass the readers that the cluster has: a defect of this room, and nothing was given out. */
export class MintedBadly extends PkiError {
  override readonly name = ErrorName.mintedBadly;
}
