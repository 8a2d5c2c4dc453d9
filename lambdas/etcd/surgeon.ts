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

/** Why etcd did not change its members. */
export type MemberRefusal =
  /** The learner has not yet what the leader has: ask again. */
  | 'not-in-sync'
  /** A voting member was not connected to all others for the last 5 s, or too few have started: ask again, or remove the dead one first. */
  | 'unhealthy'
  /**
   * Nobody leads, or the answer did not come in time. It is not known whether the change was made: a leader that lost its majority keeps it in its
   * log, and it is made when the others come back. Asking again then tells.
   */
  | 'no-quorum'
  /** etcd takes one learner at a time unless told otherwise. */
  | 'another-learner'
  /** Another member has one of these peer URLs. */
  | 'peer-url-taken'
  /** There is no such member to promote. */
  | 'no-such-member';

/** etcd's own words, and what they mean. */
export interface Refused {
  readonly outcome: 'refused';
  readonly why: MemberRefusal;
  readonly because: string;
}

export type RemovedMember = { readonly outcome: 'removed' | 'already-gone' } | Refused;
/** `already-added`: there is a member with exactly these peer URLs, learner or not. */
export type AddedMember = { readonly outcome: 'added' | 'already-added'; readonly member: ListedMember } | Refused;
export type PromotedMember = { readonly outcome: 'promoted' | 'already-voting' } | Refused;

/** The door by which runbooks look closer at a running etcd and change it. Backups never open it: what they hold cannot write. */
export interface EtcdSurgeon {
  /** Keys only, from this member's own data. @throws the error of etcd */
  countObjects(endpoint: string, atMost?: number): Promise<CountedObjects>;
  /**
   * The members as this one knows them, which needs no quorum; `linearizable` asks the whole cluster through it. @throws the error of etcd
   */
  memberList(endpoint: string, linearizable?: boolean): Promise<readonly ListedMember[]>;
  /** How many keys there were below the prefix, deleted through a member that has a leader. @throws the error of etcd */
  deletePrefix(prefix: string): Promise<number>;

  // What can be repeated: a change that was made already is an outcome like the change itself. Each goes through a member that has a leader,
  // and throws errors of etcd that say nothing about the change.
  memberRemove(id: string): Promise<RemovedMember>;
  memberAddAsLearner(peerUrls: readonly string[]): Promise<AddedMember>;
  memberPromote(id: string): Promise<PromotedMember>;
  close(): void;
}
