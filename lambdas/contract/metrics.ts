/** The CloudWatch namespace of everything that the functions emit, and the dimension that each metric carries. */
export const METRIC_NAMESPACE = 'KubeLifeboat';
export const CLUSTER_DIMENSION = 'Cluster';
/** The second dimension of what is said of one member: its client URL as the config gives it, which is known before it ever answered. */
export const ENDPOINT_DIMENSION = 'Endpoint';

export type MetricUnit = 'Count' | 'Bytes' | 'Seconds' | 'Percent';

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
  /** By endpoint: 1 when the member's HashKV is not what the majority holds, 0 when it is. */
  memberDiverged: 'MemberDiverged',
  /** Voting members that answered and know a leader. */
  membersHealthy: 'MembersHealthy',
  /** 1 while more than half of the voting members answer and know a leader, else 0. */
  etcdQuorum: 'EtcdQuorum',
  /** Bytes of the largest member's database. */
  dbSize: 'DbSize',
  /** Percent of its quota that the fullest member's database takes. */
  dbQuotaUsed: 'DbQuotaUsed',
  revisionsPerMinute: 'RevisionsPerMinute',
  /** 1 when the ledger holds a revision at least as high as every member that answered, else 0. */
  ledgerCurrent: 'LedgerCurrent',
  /** Seconds since the newest verified snapshot was taken. */
  verifiedSnapshotAge: 'VerifiedSnapshotAge',
  /** 1 when a stored snapshot was found to be what was taken, 0 when it was not. */
  drillPassed: 'DrillPassed',
  /** Seconds since a drill last passed; where none ever did, since there was a verified snapshot to drill. */
  drillAge: 'DrillAge',
  /** Seconds since the oldest snapshot was published that should be whole in the replica by now and is not; 0 when none is missing. */
  replicaBehind: 'ReplicaBehind',
  /** Listed snapshots that are not whole in the replica, those from before there was one among them. */
  replicaMissing: 'ReplicaMissing',
  /** 1 when a rotation ended well, 0 when a step of one failed. */
  certificatesRotated: 'CertificatesRotated',
  /** Of the leaf that ends first, on a node or at a port. */
  certificateDaysLeft: 'CertificateDaysLeft',
  /** Of the authority that ends first. */
  authorityDaysLeft: 'AuthorityDaysLeft',
  /** Certificates, files and ports that do not do their work. */
  certificatesWrong: 'CertificatesWrong',
  /** Places behind the API's name, or behind its balancer, at which an API server answered. */
  apiTargetsAnswering: 'ApiTargetsAnswering',
  /** 1 when the API's name leads to an API server that answers and whose certificate carries the name, else 0. */
  apiNameAnswers: 'ApiNameAnswers',
  /** 1 when the record was found to be something else than the lifeboat wrote, else 0. */
  apiRecordDrifted: 'ApiRecordDrifted',
  /** 1 while the record is not written because somebody must decide: it is somebody else's, or something is in the way; else 0. */
  apiRecordRefused: 'ApiRecordRefused',
  /** Seconds since a change was asked for that Route 53 has not made everywhere yet; 0 when there is none. */
  apiRecordPending: 'ApiRecordPending',
  /** 1 when anybody with the right to could change the record at the end of a run, 0 while Route 53 refuses that. */
  apiRecordUnprotected: 'ApiRecordUnprotected',
} as const;

export type MetricName = (typeof Metric)[keyof typeof Metric];

const OF_ONE_MEMBER: ReadonlySet<MetricName> = new Set([Metric.memberDiverged]);

/** The dimensions under which a metric is emitted, and no others: CloudWatch keeps each combination apart, and an alarm on another one never fires. */
export const dimensionsOf = (metric: MetricName): readonly string[] =>
  OF_ONE_MEMBER.has(metric) ? [CLUSTER_DIMENSION, ENDPOINT_DIMENSION] : [CLUSTER_DIMENSION];
