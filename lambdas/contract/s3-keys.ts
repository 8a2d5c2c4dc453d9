/** Where everything of one cluster lies in the state bucket. Every prefix ends in a slash, so that `prod` never matches `prod-eu`. */
export const clusterPrefix = (cluster: string): string => `clusters/${cluster}/`;
export const snapshotsPrefix = (cluster: string): string => `${clusterPrefix(cluster)}snapshots/`;
export const snapshotKey = (cluster: string, id: string): string => `${snapshotsPrefix(cluster)}${id}/snapshot.db.zst`;
export const manifestKey = (cluster: string, id: string): string => `${snapshotsPrefix(cluster)}${id}/manifest.json`;
/** What pruning remembers from run to run. */
export const pruneStateKey = (cluster: string): string => `${clusterPrefix(cluster)}prune.json`;
/** How far the cluster's revisions ever went: `ledger.ts`. */
export const ledgerKey = (cluster: string): string => `${clusterPrefix(cluster)}ledger.json`;
/** What restores leave: plan and report for good, and for some days the plain file that nodes fetch. */
export type RestoreFile = 'plan.json' | 'approval.txt' | 'report.json' | 'snapshot.db';
export const restoresPrefix = (cluster: string): string => `${clusterPrefix(cluster)}restores/`;
export const restoreKey = (cluster: string, restoreId: string, file: RestoreFile): string =>
  `${restoresPrefix(cluster)}${restoreId}/${file}`;
/** What adoptions of the cluster's PKI found and did. */
export const adoptionKey = (cluster: string, id: string): string => `${clusterPrefix(cluster)}pki/adoptions/${id}.json`;
/** What repairs of certificates did. */
export const repairKey = (cluster: string, id: string): string => `${clusterPrefix(cluster)}pki/repairs/${id}.json`;
/** What exchanges of authorities did. */
export const exchangeKey = (cluster: string, id: string): string => `${clusterPrefix(cluster)}pki/exchanges/${id}.json`;
/** What the last look at all certificates found. */
export const inventoryKey = (cluster: string): string => `${clusterPrefix(cluster)}pki/inventory.json`;
/** Which generations of its PKI the cluster lives by. */
export const pkiGenerationsKey = (cluster: string): string => `${clusterPrefix(cluster)}pki/generations.json`;
/** What is remembered of the API's record from run to run. */
export const apiRecordKey = (cluster: string): string => `${clusterPrefix(cluster)}dns/state.json`;
/** By this tag the bucket's lifecycle knows what goes after some days: a rule's prefix has no wildcard for the id of the restore. */
export const RESTORE_TAG = { key: 'lifeboat', value: 'restore' } as const;
export const lockKey = (cluster: string, name: string): string => `${clusterPrefix(cluster)}locks/${name}.json`;

const SNAPSHOT_ID = /^\d{8}T\d{6}Z-[0-9a-f]{8}$/;
export const isSnapshotId = (text: string): boolean => SNAPSHOT_ID.test(text);

/** `20261123T182815Z-<8 hex>` from four random bytes: sorts by time as text; never carries a revision, which is only known from the file. */
export function newSnapshotId(takenAt: Date, random: Buffer): string {
  return `${takenAt
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.\d+Z$/, 'Z')}-${random.toString('hex').slice(0, 8)}`;
}

/** The snapshot id that a manifest's key belongs to, or undefined for any other object under the prefix. */
export const snapshotIdOfManifestKey = (cluster: string, key: string): string | undefined => snapshotIdOf(cluster, key, 'manifest.json');
/** The snapshot id that a snapshot's own object belongs to, or undefined for any other object under the prefix. */
export const snapshotIdOfObjectKey = (cluster: string, key: string): string | undefined => snapshotIdOf(cluster, key, 'snapshot.db.zst');

function snapshotIdOf(cluster: string, key: string, file: string): string | undefined {
  const prefix = snapshotsPrefix(cluster);
  if (!key.startsWith(prefix)) return undefined;
  const [id, name, ...rest] = key.slice(prefix.length).split('/');
  return id !== undefined && name === file && rest.length === 0 && isSnapshotId(id) ? id : undefined;
}
