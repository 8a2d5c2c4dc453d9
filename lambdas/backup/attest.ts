import type { MemberAnswer } from '../contract/manifest';

/** What asking one member for HashKV gave, before it is compared. */
export type HashKvReply =
  | { readonly outcome: 'answered'; readonly hash: string; readonly compactRevision: number }
  | { readonly outcome: 'unreachable' | 'refused'; readonly because: string };

export type Asked = Pick<MemberAnswer, 'member' | 'memberId' | 'endpoint'>;

/** The file's own hash as a member with that compaction would compute it, or why that cannot be said. */
export type ExpectedHash = { readonly hash: string } | { readonly incomparable: string };

/** Compares one member's reply with what the file says under the same compaction. */
export function compareAnswer(asked: Asked, reply: HashKvReply, expected: ExpectedHash): MemberAnswer {
  if (reply.outcome !== 'answered') return { ...asked, answer: reply };
  if ('incomparable' in expected) return { ...asked, answer: { outcome: 'incomparable', because: expected.incomparable } };
  const { hash, compactRevision } = reply;
  return hash === expected.hash
    ? { ...asked, answer: { outcome: 'equal', hash, compactRevision } }
    : { ...asked, answer: { outcome: 'different', hash, expected: expected.hash, compactRevision } };
}

export interface Attestation {
  readonly verdict: 'majority' | 'minority' | 'unknown';
  readonly because: string;
}

/**
 * The file is what the cluster holds only when more than half of all voting members say so; members that are down count
 * as voters that did not say it. A majority that says otherwise is `minority`; anything between is `unknown`.
 *
 * @param votingMembers as the cluster itself counts them, never the number of configured endpoints
 */
export function attest(answers: readonly MemberAnswer[], votingMembers: number): Attestation {
  const voters = Math.max(votingMembers, 1);
  const equal = voices(answers, 'equal').size;
  const different = voices(answers, 'different');
  const heard = `${equal} of ${voters} voting members hold the same data`;
  const dissent = different.size > 0 ? `, ${[...different.values()].join(', ')} differs` : '';
  if (equal * 2 > voters) return { verdict: 'majority', because: heard + dissent };
  if (different.size * 2 > voters) return { verdict: 'minority', because: heard + dissent };
  return { verdict: 'unknown', because: heard + dissent };
}

/** Members that answered so, by id: two endpoints may lead to one member, which has one voice. */
function voices(answers: readonly MemberAnswer[], outcome: 'equal' | 'different'): ReadonlyMap<string, string> {
  return new Map(
    answers.filter(({ answer }) => answer.outcome === outcome).map(({ memberId, member, endpoint }) => [memberId ?? endpoint, member]),
  );
}
