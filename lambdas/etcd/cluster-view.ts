/** What one member said of itself, gathered before anything is decided. Plain data: no client, no clock. */
export interface MemberStatus {
  /** Hexadecimal, as `etcdctl member list` prints it. */
  readonly id: string;
  readonly name: string;
  readonly clusterId: string;
  readonly version: string;
  readonly leaderId: string;
  readonly isLearner: boolean;
  readonly dbSize: number;
  /** Bytes at which the member raises NOSPACE; told since 3.6, and missing where there is no limit. */
  readonly dbQuota?: number;
  readonly revision: number;
  readonly raftIndex: number;
  readonly raftAppliedIndex: number;
  readonly alarms: readonly ('NOSPACE' | 'CORRUPT')[];
}

export const isLeader = ({ id, leaderId }: Pick<MemberStatus, 'id' | 'leaderId'>): boolean => id === leaderId;
/** Whether the member belongs to a majority: one that is apart from it knows none. */
export const knowsLeader = ({ leaderId }: Pick<MemberStatus, 'leaderId'>): boolean => leaderId !== '0' && leaderId !== '';

export type MemberView =
  | { readonly endpoint: string; readonly reachable: true; readonly status: MemberStatus }
  | { readonly endpoint: string; readonly reachable: false; readonly because: string; readonly kind: 'tls' | 'network' };

/** The configured endpoints as seen, and the number of voting members that the cluster itself counts (0 when nobody answered). */
export interface ClusterView {
  readonly members: readonly MemberView[];
  readonly votingMembers: number;
}

/** HashKV as a member answered it: `compactRevision` is the compaction that its hash is taken under, -1 for none. */
export interface LiveHashKv {
  readonly hash: string;
  readonly compactRevision: number;
}

/** The door to a running etcd, opened by `client/`. Never writes: no defragmentation, no compaction, no key. */
export interface EtcdReader {
  /** Asks every endpoint for its status; an endpoint that does not answer is a view that says why, not an error. */
  gather(): Promise<ClusterView>;
  /**
   * The bytes of a snapshot with its 32-byte trailer, as the member sends them.
   *
   * @throws SnapshotStreamBroken when the stream ends with an error, stalls, or is aborted
   */
  snapshot(endpoint: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** @throws EtcdUnreachable or an error of etcd's own (`mvcc: required revision is a future revision`) */
  hashKv(endpoint: string, revision: number): Promise<LiveHashKv>;
  close(): void;
}

/** For members before 3.6, whose status does not tell the quota. */
export interface QuotaReader {
  /** Bytes; undefined when it cannot be found out. Never throws. */
  quota(endpoint: string): Promise<number | undefined>;
}
