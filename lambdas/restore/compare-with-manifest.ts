import type { DigestResult } from '../backup/snapshot-digest';
import type { Manifest } from '../contract/manifest';
import type { SnapshotReport } from '../etcd/snapshot';

/** What a stored snapshot says now that it did not say when it was taken, one sentence each; none is the good news. */
export function differencesFrom(manifest: Manifest, digest: DigestResult, report: SnapshotReport): string[] {
  const facts: readonly (readonly [what: string, now: unknown, then: unknown])[] = [
    ['size', digest.plainBytes, manifest.plainBytes],
    ['SHA-256', digest.plainSha256, manifest.plainSha256],
    ['revision', report.revision, manifest.revision],
    ['compaction', report.compactRevision, manifest.compactRevision],
    ['status hash', report.statusHash, manifest.statusHash],
    ['number of keys', report.totalKeys, manifest.totalKeys],
    ['database size', report.dbSize, manifest.dbSize],
    ['HashKV', report.hashKv?.hash ?? 'none', manifest.hashKv.hash ?? 'none'],
    ['inventory', inventoryText(report.inventory), inventoryText(manifest.inventory)],
  ];
  const [first] = report.problems;
  return [
    ...(first === undefined ? [] : [`${report.problemCount} problems, first ${first.code}: ${first.message}`]),
    ...facts
      .filter(([, now, then]) => now !== then)
      .map(([what, now, then]) => `${what} is ${String(now)}, the manifest says ${String(then)}`),
  ];
}

const inventoryText = (inventory: Readonly<Record<string, number>>): string =>
  Object.entries(inventory)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([resource, count]) => `${resource} ${count}`)
    .join(', ');
