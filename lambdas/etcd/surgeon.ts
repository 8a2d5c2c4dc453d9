/** A member as the cluster lists it. */
export interface ListedMember {
  /** Hexadecimal, as `etcdctl member list` prints it. */
  readonly id: string;
  /** Empty for one that was added and never started. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

/** Live objects per API resource, counted by the rule of a manifest's inventory, all at one revision. */
export interface CountedObjects {
  readonly revision: number;
  readonly inventory: Readonly<Record<string, number>>;
}

/** The door by which runbooks look closer at a running etcd and change it. Backups never open it: what they hold cannot write. */
export interface EtcdSurgeon {
  /** Keys only, from this member's own data. @throws the error of etcd */
  countObjects(endpoint: string): Promise<CountedObjects>;
  /** The members as this one knows them, which needs no quorum. @throws the error of etcd */
  memberList(endpoint: string): Promise<readonly ListedMember[]>;
  /** How many keys there were below the prefix. Needs a quorum. @throws the error of etcd */
  deletePrefix(prefix: string): Promise<number>;
  close(): void;
}
