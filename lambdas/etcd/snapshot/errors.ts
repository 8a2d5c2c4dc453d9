import { ErrorName } from '../../contract/errors';
import { LifeboatError } from '../../contract/lifeboat-error';

/** Root of everything that this room throws: a subject for `instanceof`, never thrown itself. */
export abstract class SnapshotFileError extends LifeboatError {}

/** The bytes of the file contradict each other: reading it again cannot help. */
export class SnapshotDamaged extends SnapshotFileError {
  override readonly name = ErrorName.snapshotDamaged;
  readonly retryable = false;
}

/** The file cannot be opened or read (missing, no permission, I/O error); `cause` has the system's error. */
export class SnapshotUnreadable extends SnapshotFileError {
  override readonly name = ErrorName.snapshotUnreadable;
  readonly retryable = true;
}
