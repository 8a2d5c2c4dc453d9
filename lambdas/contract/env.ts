/** Names of the environment variables that constructs write and handlers read. */
export const Env = {
  clusterName: 'LIFEBOAT_CLUSTER',
  stateBucket: 'LIFEBOAT_STATE_BUCKET',
  /** Comma-separated client URLs, `https://host:port`. */
  etcdEndpoints: 'LIFEBOAT_ETCD_ENDPOINTS',
  etcdClientSecret: 'LIFEBOAT_ETCD_CLIENT_SECRET',
  /** Whole GiB; the function's own disk is sized from the same number. */
  maxDbSizeGiB: 'LIFEBOAT_MAX_DB_SIZE_GIB',
} as const;

export type EnvName = (typeof Env)[keyof typeof Env];
