import type { MemberRefusal, Refused } from '../surgeon';

export type MemberChange = 'remove' | 'add' | 'promote';

/**
 * etcd's own words (api/v3rpc/rpctypes/error.go, the same in 3.4 to 3.6), by which alone the cases of one gRPC code can be told apart. The
 * first that fits counts: one text is the beginning of another.
 */
const WORDS: readonly (readonly [text: string, why: MemberRefusal])[] = [
  ['etcdserver: can only promote a learner member which is in sync with leader', 'not-in-sync'],
  ['etcdserver: re-configuration failed due to not enough started members', 'unhealthy'],
  ['etcdserver: unhealthy cluster', 'unhealthy'],
  ['etcdserver: too many learner members in cluster', 'another-learner'],
  ['etcdserver: Peer URLs already exists', 'peer-url-taken'],
  ['etcdserver: member ID already exist', 'peer-url-taken'],
  ['etcdserver: member not found', 'no-such-member'],
  // Also with "possibly due to previous leader failure", "possibly due to connection lost", "waiting for the applied index took too long".
  ['etcdserver: request timed out', 'no-quorum'],
  ['etcdserver: no leader', 'no-quorum'],
  ['etcdserver: not leader', 'no-quorum'],
  ['etcdserver: leader changed', 'no-quorum'],
  ['etcdserver: server stopped', 'no-quorum'],
  ['Deadline exceeded', 'no-quorum'],
];

/**
 * By which words etcd tells that a change was made before. A member that was removed stays known as removed; the id of a new one is made of its
 * peer URLs and the second (membership/member.go, NewMember), so that one added twice in a second has an id that exists.
 */
const DONE: Readonly<Record<MemberChange, RegExp>> = {
  remove: /etcdserver: member not found/,
  add: /etcdserver: (Peer URLs already exists|member ID already exist)/,
  promote: /etcdserver: can only promote a learner member$/,
};

export const alreadyDone = (change: MemberChange, message: string): boolean => DONE[change].test(message);

/** What etcd's refusal means; undefined for an error that says nothing about the change. */
export function refusalOf(message: string): Refused | undefined {
  const found = WORDS.find(([text]) => message.toLowerCase().includes(text.toLowerCase()));
  return found && { outcome: 'refused', why: found[1], because: message };
}
