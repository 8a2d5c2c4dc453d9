import { ErrorName } from '../contract/errors';
import type { NodeFailure } from '../contract/node-commands';
import type { DrillVerdict, NodeEnd, RestoreReport } from '../contract/restore';

/** What is wrong with the stored snapshot itself. S3 that does not answer, or breaks off, is none of these. */
const OF_THE_SNAPSHOT: readonly string[] = [
  ErrorName.storedSnapshotDamaged,
  ErrorName.manifestDamaged,
  ErrorName.snapshotOfOtherCluster,
  ErrorName.snapshotNotFound,
] satisfies ErrorName[];

/** What etcdutl finds wrong with it on a node, while everything still serves. */
const OF_ETCDUTL: readonly string[] = ['SnapshotDiffers', 'RestoreFailed'] satisfies NodeFailure['error'][];

/**
 * What an execution in the mode `drill` says of its snapshot.
 *
 * One that was rolled back was begun and did not end well, be it for the machines. One that ended unharmed speaks against the snapshot where that is
 * what it stumbled over; where no node answered, the lock was held or S3 was down, nobody looked at it.
 *
 * @param ends how the last document that changes something ended on each node
 */
export function drillVerdict(
  { outcome, failure }: { readonly outcome: RestoreReport['outcome']; readonly failure: { readonly error: string } | undefined },
  ends: readonly NodeEnd[],
): DrillVerdict {
  switch (outcome) {
    case 'DRILLED':
      return 'passed';
    case 'ROLLED_BACK':
    case 'NEEDS_HANDS':
      return 'failed';
    case 'UNHARMED':
      return failure !== undefined && speaksAgainst(failure.error, ends) ? 'failed' : 'silent';
    case 'DRY_RUN':
    case 'RESTORED':
      return 'silent';
  }
}

/** The state machine gives one name to all failures of nodes; their own are in their ends. */
const speaksAgainst = (error: string, ends: readonly NodeEnd[]): boolean =>
  error === ErrorName.nodesFailed
    ? ends.some((end) => end.error !== undefined && OF_ETCDUTL.includes(end.error))
    : OF_THE_SNAPSHOT.includes(error);
