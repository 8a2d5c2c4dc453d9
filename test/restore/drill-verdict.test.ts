import type { DrillVerdict, NodeEnd, RestoreOutcome } from '../../lambdas/contract/restore';
import { drillVerdict } from '../../lambdas/restore/drill-verdict';

const failed = (error: string): NodeEnd => ({ instanceId: 'i-00000001', host: 'spare-1', outcome: 'failed', error, because: 'no' });
const silent: NodeEnd = { instanceId: 'i-00000002', host: 'spare-2', outcome: 'undeliverable', because: 'no agent' };

test.each<[sentence: string, outcome: RestoreOutcome, error: string | undefined, ends: readonly NodeEnd[], verdict: DrillVerdict]>([
  ['came to its end', 'DRILLED', undefined, [], 'passed'],
  ['was rolled back', 'ROLLED_BACK', 'EtcdNotReady', [], 'failed'],
  ['left a machine as it should not be', 'NEEDS_HANDS', undefined, [], 'failed'],
  ['found the stored bytes damaged', 'UNHARMED', 'StoredSnapshotDamaged', [], 'failed'],
  ['found a manifest that is none', 'UNHARMED', 'ManifestDamaged', [], 'failed'],
  ['found the manifest of another cluster', 'UNHARMED', 'SnapshotOfOtherCluster', [], 'failed'],
  ['found no object beside the manifest', 'UNHARMED', 'SnapshotNotFound', [], 'failed'],
  ['heard from etcdutl that it is another snapshot', 'UNHARMED', 'NodesFailed', [failed('SnapshotDiffers')], 'failed'],
  ['heard so on one node, while another was silent', 'UNHARMED', 'NodesFailed', [silent, failed('SnapshotDiffers')], 'failed'],
  ['heard from etcdutl that it makes no data of it', 'UNHARMED', 'NodesFailed', [failed('RestoreFailed')], 'failed'],
  ['got other bytes than S3 holds', 'UNHARMED', 'NodesFailed', [failed('DownloadDiffers')], 'silent'],
  ['got no bytes', 'UNHARMED', 'NodesFailed', [failed('DownloadFailed')], 'silent'],
  ['found a full disk', 'UNHARMED', 'NodesFailed', [failed('NoSpace')], 'silent'],
  ['found no machine that answers', 'UNHARMED', 'NodesFailed', [silent], 'silent'],
  ['was refused by its plan', 'UNHARMED', 'RestoreRefused', [], 'silent'],
  ['found the lock held', 'UNHARMED', 'ControlPlaneLocked', [], 'silent'],
  ['got no answer of S3', 'UNHARMED', 'StoreFailed', [], 'silent'],
  ['lost S3 in the middle of the bytes', 'UNHARMED', 'SnapshotReadBroken', [], 'silent'],
  ['had no time left', 'UNHARMED', 'RestoreOutOfTime', [], 'silent'],
  ['only looked', 'DRY_RUN', undefined, [], 'silent'],
  // What an earlier document said on a node is not why a later state failed.
  ['was cut off after etcdutl had complained', 'UNHARMED', 'StoreFailed', [failed('SnapshotDiffers')], 'silent'],
])('a drill that %s (%s %s) counts as it should', (_sentence, outcome, error, ends, verdict) => {
  expect(drillVerdict({ outcome, failure: error === undefined ? undefined : { error } }, ends)).toBe(verdict);
});
