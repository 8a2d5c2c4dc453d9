import type { Telemetry } from '../backup/edges';
import type { AuthorityName, Exchangeable } from '../contract/certificate-names';
import type { AuthoritySecret, ServiceAccountsSecret } from '../contract/certificates';
import type {
  AccountsLook,
  AskedAccounts,
  AskedCluster,
  AskedPort,
  ClusterLook,
  ClusterWrite,
  EtcdLook,
  NodeStamps,
  PortLook,
} from '../contract/exchange-looks';
import type { EtcdClientSecret } from '../contract/secrets';
import type { RotationFacts } from '../authorities/rotation-facts';
import type { RegisteredNode } from '../nodes/ssm-nodes';
import type { CertificateSettings } from '../certificates/adopt';

/** Everything that the exchange of an authority sees and does. */
export interface ExchangeEdges {
  readonly cluster: string;
  readonly settings: CertificateSettings;
  readonly registered: () => Promise<readonly RegisteredNode[]>;
  readonly authority: (name: AuthorityName) => Promise<AuthoritySecret | undefined>;
  /** Compare and swap: the change is made anew for what is there by then when somebody else was faster. The document afterwards. */
  readonly change: (name: AuthorityName, by: (document: AuthoritySecret) => AuthoritySecret) => Promise<AuthoritySecret>;
  readonly accounts: () => Promise<ServiceAccountsSecret | undefined>;
  /** The same for the key pair of service accounts. */
  readonly changeAccounts: (by: (document: ServiceAccountsSecret) => ServiceAccountsSecret) => Promise<ServiceAccountsSecret>;
  /** Takes the value before the present one away, in which a key lies that is to be gone. */
  readonly forgetFormer: (name: Exchangeable) => Promise<void>;
  /** What nodes have by now; this function does not read their keys itself. */
  readonly stamps: (secretIds: readonly string[]) => Promise<readonly NodeStamps[]>;
  /** Has Secrets Manager rotate the set of a node; it goes on with one that waits. */
  readonly rotate: (secretId: string) => Promise<void>;
  readonly lookAtPorts: (ports: readonly AskedPort[]) => Promise<readonly PortLook[]>;
  readonly lookAtEtcd: () => Promise<EtcdLook>;
  readonly lookAtCluster: (asked: AskedCluster) => Promise<ClusterLook>;
  readonly lookAtAccounts: (asked: AskedAccounts) => Promise<AccountsLook>;
  readonly tellCluster: (asked: AskedCluster, write: ClusterWrite) => Promise<readonly string[]>;
  /** Of those that were verified the newest, and of all that still exist when the oldest was taken. */
  readonly snapshots: () => Promise<{ readonly newest: RotationFacts['snapshot']; readonly oldest: Date | undefined }>;
  /** By what the functions are clients of etcd. @throws SecretUnusable */
  readonly etcdClient: () => Promise<EtcdClientSecret>;
  readonly putEtcdClient: (secret: EtcdClientSecret) => Promise<void>;
  /** Whether an execution runs: by its ARN. */
  readonly runs: (execution: string) => Promise<boolean>;
  readonly write: (id: string, text: string) => Promise<void>;
  readonly tell: ((subject: string, message: string) => Promise<void>) | undefined;
  readonly telemetry: Pick<Telemetry, 'log' | 'warn' | 'count'>;
  readonly now: () => Date;
}
