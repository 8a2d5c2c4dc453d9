import { ErrorName } from '../contract/errors';
import { LifeboatError } from '../contract/lifeboat-error';

/** What went wrong with a backup. None of these leaves a listed snapshot or an open upload behind. */
export abstract class BackupError extends LifeboatError {}

/** Every member answered that it cannot be trusted with a snapshot. */
export class NoHealthyMember extends BackupError {
  override readonly name = ErrorName.noHealthyMember;
  readonly retryable = true;
}

/** The configured endpoints belong to more than one etcd cluster. */
export class EndpointsDisagree extends BackupError {
  override readonly name = ErrorName.endpointsDisagree;
  readonly retryable = false;
}

/** The function's own time was nearly over, so the run ended itself while it could still clean up. */
export class BackupOutOfTime extends BackupError {
  override readonly name = ErrorName.backupOutOfTime;
  readonly retryable = true;
}

/** Another run holds the lock. */
export class BackupInProgress extends BackupError {
  override readonly name = ErrorName.backupInProgress;
  readonly retryable = true;
}

/** S3 failed on some removals; all others were done. */
export class PruneIncomplete extends BackupError {
  override readonly name = ErrorName.pruneIncomplete;
  readonly retryable = true;
}

/** Others wrote the ledger each time between this run's reading and writing it. */
export class LedgerContended extends BackupError {
  override readonly name = ErrorName.ledgerContended;
  readonly retryable = true;
}

/** S3 did not answer within the time that a run has for the ledger. */
export class LedgerOutOfTime extends BackupError {
  override readonly name = ErrorName.ledgerOutOfTime;
  readonly retryable = true;
}

/** The ledger names a revision from which no bump leads to a number that every client can read. */
export class RevisionsExhausted extends BackupError {
  override readonly name = ErrorName.revisionsExhausted;
  readonly retryable = false;
}

/** The stream ended, but not where a snapshot ends. */
export class SnapshotTruncated extends BackupError {
  override readonly name = ErrorName.snapshotTruncated;
  readonly retryable = true;
}

/** The database is larger than the function was sized for. */
export class SnapshotTooLarge extends BackupError {
  override readonly name = ErrorName.snapshotTooLarge;
  readonly retryable = false;
}

/** What S3 says it holds is not what was sent. */
export class StoredBytesDiffer extends BackupError {
  override readonly name = ErrorName.storedBytesDiffer;
  readonly retryable = true;
}
