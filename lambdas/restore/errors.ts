import { ErrorName } from '../contract/errors';
import { LifeboatError } from '../contract/lifeboat-error';

/** The plan cannot be carried out: nothing was changed anywhere. */
export class RestoreRefused extends LifeboatError {
  override readonly name = ErrorName.restoreRefused;
  readonly retryable = false;
}

/** Another runbook works on the nodes of the cluster. */
export class ControlPlaneLocked extends LifeboatError {
  override readonly name = ErrorName.controlPlaneLocked;
  readonly retryable = true;
}

/** Not every member serves yet. */
export class EtcdNotReady extends LifeboatError {
  override readonly name = ErrorName.etcdNotReady;
  readonly retryable = true;
}

/** What the members hold is not what the snapshot holds. */
export class RestoredDataDiffers extends LifeboatError {
  override readonly name = ErrorName.restoredDataDiffers;
  readonly retryable = false;
}

/** What went wrong with a snapshot that is to be used. None of these leaves a plain file or an open upload behind. */
export abstract class RestoreError extends LifeboatError {}

/** There is no manifest of that id, or no object beside it. */
export class SnapshotNotFound extends RestoreError {
  override readonly name = ErrorName.snapshotNotFound;
  readonly retryable = false;
}

/** The manifest does not parse, or its numbers contradict each other. */
export class ManifestDamaged extends RestoreError {
  override readonly name = ErrorName.manifestDamaged;
  readonly retryable = false;
}

/** The manifest under this key says that it is of something else. */
export class SnapshotOfOtherCluster extends RestoreError {
  override readonly name = ErrorName.snapshotOfOtherCluster;
  readonly retryable = false;
}

/** No majority of the members confirmed it when it was taken. */
export class SnapshotNotVerified extends RestoreError {
  override readonly name = ErrorName.snapshotNotVerified;
  readonly retryable = false;
}

/** What lies in S3 is not what was stored and checked when the snapshot was taken. */
export class StoredSnapshotDamaged extends RestoreError {
  override readonly name = ErrorName.storedSnapshotDamaged;
  readonly retryable = false;
}

/** The connection to S3 broke again and again in the middle of the same bytes. */
export class SnapshotReadBroken extends RestoreError {
  override readonly name = ErrorName.snapshotReadBroken;
  readonly retryable = true;
}

/** Others wrote the manifest each time between this run's reading and writing it. */
export class DrillNotRecorded extends RestoreError {
  override readonly name = ErrorName.drillNotRecorded;
  readonly retryable = true;
}

/** The function's own time was nearly over, so the run ended itself while it could still clean up. */
export class RestoreOutOfTime extends RestoreError {
  override readonly name = ErrorName.restoreOutOfTime;
  readonly retryable = true;
}
/** etcd does not change its members as a replacement wants, and waiting does not help. */
export class MembersUnchanged extends LifeboatError {
  override readonly name = ErrorName.membersUnchanged;
  readonly retryable = false;
}
