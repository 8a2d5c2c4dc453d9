// The parameters of the node documents: the sender checks them, and Systems Manager does it again by the same patterns.

export interface NodeParameter {
  readonly description: string;
  /** The whole value must match: none admits a quote, a blank, `$` or a backtick, since values are put between single quotes of a shell. */
  readonly pattern: string;
  readonly default?: string;
}

const DIRECTORY = '(/[A-Za-z0-9._-]+)+';
const NUMBER = '(0|[1-9][0-9]{0,17})';
const MEMBER = '[A-Za-z0-9._-]+=https?://[A-Za-z0-9.:\\[\\]-]+';

export const NodeParameters = {
  manifestDir: { description: 'the folder of the static-pod manifests', pattern: DIRECTORY, default: '/etc/kubernetes/manifests' },
  dataDir: { description: "etcd's data directory", pattern: DIRECTORY, default: '/var/lib/etcd' },
  stateDir: { description: 'the folder for everything that these documents keep', pattern: DIRECTORY, default: '/var/lib/kube-lifeboat' },
  pkiDir: {
    description: 'the folder of the certificates; the kubeconfigs lie in the one above it',
    pattern: DIRECTORY,
    default: '/etc/kubernetes/pki',
  },
  kubeletDir: {
    description: 'the folder of the kubelet, which has its client certificate',
    pattern: DIRECTORY,
    default: '/var/lib/kubelet',
  },
  podLogDir: { description: 'the folder in which the kubelet keeps the logs of pods', pattern: DIRECTORY, default: '/var/log/pods' },
  part: { description: 'all, pki or kubeconfigs', pattern: '(all|pki|kubeconfigs)', default: 'all' },
  // A name or an ARN. None begins with a dash, which the command line of AWS would take for an option.
  secretId: { description: 'the secret that is read or written', pattern: '[A-Za-z0-9/_+=.@][A-Za-z0-9/_+=.@:-]{0,511}' },
  secretVersion: { description: 'the version of that secret which holds the set', pattern: '[A-Za-z0-9-]{32,64}' },
  setSha256: { description: 'the SHA-256 of the archive in it', pattern: '[0-9a-f]{64}' },
  restoreId: { description: 'names one restore or replacement in everything that it leaves on the node', pattern: '[A-Za-z0-9_-]{1,80}' },
  what: { description: 'apiserver, etcd or both', pattern: '(apiserver|etcd|both)', default: 'both' },
  // etcd ends 8–10 s after SIGTERM, an API server with open watches after more than 40 s.
  waitSeconds: {
    description: 'how long to wait for a process to end, to listen or to be ready, in seconds',
    pattern: '[1-9][0-9]{0,2}',
    default: '120',
  },
  snapshotUrl: { description: 'the plain snapshot file, s3://bucket/key', pattern: 's3://[a-z0-9.-]{3,63}/[A-Za-z0-9._/=+@-]{1,900}' },
  snapshotBytes: { description: 'its size', pattern: NUMBER },
  snapshotSha256: { description: 'its SHA-256, plainSha256 of the manifest', pattern: '[0-9a-f]{64}' },
  snapshotHash: { description: 'what etcdutl snapshot status prints as its hash, statusHash of the manifest', pattern: '[0-9a-f]{8}' },
  snapshotRevision: { description: 'its revision', pattern: NUMBER },
  bumpRevision: { description: 'how much to raise the revision; 0 leaves it as it is in the snapshot', pattern: NUMBER },
  initialCluster: { description: 'name=peerUrl of every member, as etcd takes it', pattern: `${MEMBER}(,${MEMBER})*` },
  clusterToken: { description: 'a token that no cluster had before', pattern: '[A-Za-z0-9._-]{1,128}' },
} as const satisfies Readonly<Record<string, NodeParameter>>;
export type NodeParameterName = keyof typeof NodeParameters;
