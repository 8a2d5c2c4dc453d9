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

/** S3 holds other bytes than a manifest says. */
export class SnapshotNotWhole extends LifeboatError {
  override readonly name = ErrorName.snapshotNotWhole;
  readonly retryable = false;
}

/** etcd does not change its members as a replacement wants, and waiting does not help. */
export class MembersUnchanged extends LifeboatError {
  override readonly name = ErrorName.membersUnchanged;
  readonly retryable = false;
}
