import type { RunLock, Telemetry } from '../backup/edges';
import type { AuthorityName, Exchangeable } from '../contract/certificate-names';
import type { AuthoritySecret, ServiceAccountsSecret } from '../contract/certificates';
import type {
  AccountsLook,
  AskedAccounts,
  AskedCluster,
  AskedPort,
  ClusterLook,
  ClusterTold,
  ClusterWrite,
  EtcdLook,
  NodeStamps,
  PortLook,
} from '../contract/exchange-looks';
import type { RunbookNode } from '../contract/restore';
import type { EtcdClientSecret } from '../contract/secrets';
import type { KeptSnapshot } from '../authorities/prune';
import type { RotationFacts } from '../authorities/rotation-facts';
import type { RegisteredNode } from '../nodes/ssm-nodes';
import type { CertificateSettings } from '../certificates/adopt';

/** What became of asking for a rotation. `not-enrolled`: the node has no secret, or one that is not rotated. */
export type AskedRotation = 'begun' | 'under-way' | 'not-enrolled';

/** Everything that the exchange of an authority sees and does. */
export interface ExchangeEdges {
  readonly cluster: string;
  readonly settings: CertificateSettings;
  readonly registered: () => Promise<readonly RegisteredNode[]>;
  readonly authority: (name: AuthorityName) => Promise<AuthoritySecret | undefined>;
  /** Compare and swap: the change is made anew for what is there by then when somebody else was faster. The document afterwards. */
  readonly change: (name: AuthorityName, by: (document: AuthoritySecret) => AuthoritySecret) => Promise<AuthoritySecret>;
  /** Notes for those who read no secret by which generations the cluster lives; never throws. Each change does it too. */
  readonly note: () => Promise<void>;
  readonly accounts: () => Promise<ServiceAccountsSecret | undefined>;
  /** The same for the key pair of service accounts. */
  readonly changeAccounts: (by: (document: ServiceAccountsSecret) => ServiceAccountsSecret) => Promise<ServiceAccountsSecret>;
  /** Takes the value before the present one away, in which a key lies that is to be gone. */
  readonly forgetFormer: (name: Exchangeable) => Promise<void>;
  /** What nodes have by now; this function does not read their keys itself. */
  readonly stamps: (secretIds: readonly string[]) => Promise<readonly NodeStamps[]>;
  /** Has Secrets Manager rotate the set of a node; it goes on with one that waits. @throws StoreFailed when it can do neither */
  readonly rotate: (secretId: string) => Promise<AskedRotation>;
  /** Gives nodes that have none a secret of their own, and others what theirs lacks. The hosts for which something was done. */
  readonly enrol: (nodes: readonly RunbookNode[]) => Promise<readonly string[]>;
  readonly lookAtPorts: (ports: readonly AskedPort[]) => Promise<readonly PortLook[]>;
  readonly lookAtEtcd: () => Promise<EtcdLook>;
  readonly lookAtCluster: (asked: AskedCluster) => Promise<ClusterLook>;
  readonly lookAtAccounts: (asked: AskedAccounts) => Promise<AccountsLook>;
  readonly tellCluster: (asked: AskedCluster, write: ClusterWrite) => Promise<ClusterTold>;
  /** Of those that were verified the newest, and all that still exist; undefined when one of them tells nothing. */
  readonly snapshots: () => Promise<{ readonly newest: RotationFacts['snapshot']; readonly kept: readonly KeptSnapshot[] | undefined }>;
  /** By what the functions are clients of etcd. @throws SecretUnusable */
  readonly etcdClient: () => Promise<EtcdClientSecret>;
  readonly putEtcdClient: (secret: EtcdClientSecret) => Promise<void>;
  /** The lock of whatever changes the control plane: two authorities that begin in the same second wait for each other by it. */
  readonly lock: RunLock;
  /** Who holds it; undefined when nobody does. @throws StoreFailed */
  readonly lockedBy: () => Promise<string | undefined>;
  /** Whether an execution runs: by its ARN. */
  readonly runs: (execution: string) => Promise<boolean>;
  /** Starts another execution of the same state machine, by the ARN of one; once, however often it is asked for. Its ARN. */
  readonly startNext: (execution: string, name: string, input: object) => Promise<string>;
  readonly write: (id: string, text: string) => Promise<void>;
  readonly tell: ((subject: string, message: string) => Promise<void>) | undefined;
  readonly telemetry: Pick<Telemetry, 'log' | 'warn' | 'count'>;
  readonly now: () => Date;
}
