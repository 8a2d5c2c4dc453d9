/** Names of the environment variables that constructs write and handlers read. */
export const Env = {
  clusterName: 'LIFEBOAT_CLUSTER',
  stateBucket: 'LIFEBOAT_STATE_BUCKET',
  /** Comma-separated client URLs, `https://host:port`. */
  etcdEndpoints: 'LIFEBOAT_ETCD_ENDPOINTS',
  etcdClientSecret: 'LIFEBOAT_ETCD_CLIENT_SECRET',
  /** Whole GiB; the function's own disk is sized from the same number. */
  maxDbSizeGiB: 'LIFEBOAT_MAX_DB_SIZE_GIB',
  /** A RetentionPolicy as JSON. */
  retentionPolicy: 'LIFEBOAT_RETENTION_POLICY',
  /** A LockPolicy as JSON. */
  lockPolicy: 'LIFEBOAT_LOCK_POLICY',
  /** The bucket in another region that S3 copies snapshots to, and that region. */
  replicaBucket: 'LIFEBOAT_REPLICA_BUCKET',
  replicaRegion: 'LIFEBOAT_REPLICA_REGION',
  /** NodeTags as JSON. */
  nodeTags: 'LIFEBOAT_NODE_TAGS',
  /** The ARN of the topic that people read; missing where the config names nobody. */
  alarmTopic: 'LIFEBOAT_ALARM_TOPIC',
  /** The function beside the cluster that looks at its ports. */
  probeFunction: 'LIFEBOAT_PROBE_FUNCTION',
  /** The function that makes the secrets of nodes. */
  enrolFunction: 'LIFEBOAT_ENROL_FUNCTION',
  /** What the secrets of nodes are made with, as JSON. */
  nodeSecretSettings: 'LIFEBOAT_NODE_SECRETS',
  /** What certificates hang on, as JSON. */
  certificateSettings: 'LIFEBOAT_CERTIFICATE_SETTINGS',
  /** The ARN of the runbook that exchanges authorities, and heals what restored data says of them. */
  rotateCa: 'LIFEBOAT_ROTATE_CA',
  /** ExchangePolicy as JSON. */
  exchangePolicy: 'LIFEBOAT_EXCHANGE_POLICY',
  /** ApiRecordSettings as JSON. */
  apiRecord: 'LIFEBOAT_API_RECORD',
  /** Name of the role that the function itself has. */
  ownRole: 'LIFEBOAT_OWN_ROLE',
  /** `https://name:port` of the API; missing where the config names none. */
  apiUrl: 'LIFEBOAT_API_URL',
} as const;

export type EnvName = (typeof Env)[keyof typeof Env];

/** The SSM parameter by which the command line finds everything of a cluster; its value is a ClusterDirectoryEntry as JSON. */
export const clusterDirectoryName = (cluster: string): string => `/lifeboat/${cluster}`;

/** Where the resources of a cluster are: names, ARNs and URLs, never values. */
export interface ClusterDirectoryEntry {
  readonly version: 1;
  readonly cluster: string;
  readonly stateBucket: string;
  readonly etcdClientSecretArn: string;
  readonly takeSnapshotFunction: string;
  readonly takeSnapshotLogGroup: string;
  readonly pruneSnapshotsFunction: string;
  readonly pruneSnapshotsLogGroup: string;
  readonly watchMembersFunction: string;
  readonly watchMembersLogGroup: string;
  readonly materializeSnapshotFunction: string;
  readonly materializeSnapshotLogGroup: string;
  readonly drillFunction: string;
  readonly drillLogGroup: string;
  readonly deadLetterQueueUrl: string;
  readonly restoreStateMachine: string;
  readonly replaceMemberStateMachine: string;
  readonly restoreLogGroups: Readonly<Record<string, string>>;
  /** Only where the config has `certificates`. */
  readonly adoptStateMachine?: string;
  readonly scanStateMachine?: string;
  readonly repairStateMachine?: string;
  readonly rotateCaStateMachine?: string;
  readonly certificateLogGroups?: Readonly<Record<string, string>>;
  /** Only where the config has `api`. */
  readonly syncApiRecordFunction?: string;
  readonly apiRecordLogGroups?: Readonly<Record<string, string>>;
  /** Only where the config asks for a copy in another region. */
  readonly replica?: {
    readonly bucket: string;
    readonly region: string;
    readonly watchFunction: string;
    readonly watchLogGroup: string;
  };
}
