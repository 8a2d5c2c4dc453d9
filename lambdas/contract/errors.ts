/** Error names that alarms, state machines and people see. Each class lives with its subject and takes its literal name from here. */
export const ErrorName = {
  snapshotDamaged: 'SnapshotDamaged',
  snapshotUnreadable: 'SnapshotUnreadable',
  snapshotTruncated: 'SnapshotTruncated',
  snapshotTooLarge: 'SnapshotTooLarge',
  spoolFull: 'SpoolFull',
  endpointsDisagree: 'EndpointsDisagree',
  backupOutOfTime: 'BackupOutOfTime',
  noHealthyMember: 'NoHealthyMember',
  etcdUnreachable: 'EtcdUnreachable',
  etcdTlsRefused: 'EtcdTlsRefused',
  snapshotStreamBroken: 'SnapshotStreamBroken',
  storeFailed: 'StoreFailed',
  storedBytesDiffer: 'StoredBytesDiffer',
  pruneIncomplete: 'PruneIncomplete',
  backupInProgress: 'BackupInProgress',
  secretUnusable: 'SecretUnusable',
  nodesUnreachable: 'NodesUnreachable',
  badConfiguration: 'BadConfiguration',
  badEvent: 'BadEvent',
} as const;
export type ErrorName = (typeof ErrorName)[keyof typeof ErrorName];
