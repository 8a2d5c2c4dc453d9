import { ErrorName } from '../contract/errors';
import { LifeboatError } from '../contract/lifeboat-error';

/** Nobody listens there, or whoever does said less than it had to: the next try may find it well. */
export class PortUnreachable extends LifeboatError {
  override readonly name = ErrorName.portUnreachable;
  readonly retryable = true;
}

/** A TLS server that ended the handshake by an alert. */
export class HandshakeRefused extends LifeboatError {
  override readonly name = ErrorName.handshakeRefused;
  readonly retryable = false;
}

/** What came back is no handshake of TLS 1.2, or more than any server says. */
export class HandshakeUnreadable extends LifeboatError {
  override readonly name = ErrorName.handshakeUnreadable;
  readonly retryable = false;
}
