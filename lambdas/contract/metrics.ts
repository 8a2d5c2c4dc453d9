/** The CloudWatch namespace of everything that the functions emit, and the one dimension that each metric carries. */
export const METRIC_NAMESPACE = 'KubeLifeboat';
export const CLUSTER_DIMENSION = 'Cluster';

export const Metric = {
  snapshotVerified: 'SnapshotVerified',
  snapshotFailed: 'SnapshotFailed',
  snapshotUnverified: 'SnapshotUnverified',
  snapshotPlainBytes: 'SnapshotPlainBytes',
  snapshotStoredBytes: 'SnapshotStoredBytes',
  snapshotSeconds: 'SnapshotSeconds',
  snapshotRevision: 'SnapshotRevision',
  snapshotKeys: 'SnapshotKeys',
  snapshotsPruned: 'SnapshotsPruned',
  snapshotRemovalsDenied: 'SnapshotRemovalsDenied',
  snapshotObjectsSwept: 'SnapshotObjectsSwept',
  manifestsDamaged: 'ManifestsDamaged',
  memberUnreachable: 'MemberUnreachable',
} as const;
