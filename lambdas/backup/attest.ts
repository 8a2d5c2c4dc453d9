import type { MemberAnswer } from '../contract/manifest';

/** What asking one member for HashKV gave, before it is compared. */
export type HashKvReply =
  | { readonly outcome: 'answered'; readonly hash: string; readonly compactRevision: number }
  | { readonly outcome: 'unreachable'; readonly because: string };

/** The file's own hash as a member with that compaction would compute it, or why that cannot be said. */
export type ExpectedHash = { readonly hash: string } | { readonly incomparable: string };

/** Compares one member's reply with what the file says under the same compaction. */
export function compareAnswer(member: string, endpoint: string, reply: HashKvReply, expected: ExpectedHash): MemberAnswer {
  if (reply.outcome === 'unreachable') return { member, endpoint, answer: { outcome: 'unreachable', because: reply.because } };
  if ('incomparable' in expected) return { member, endpoint, answer: { outcome: 'incomparable', because: expected.incomparable } };
  const { hash, compactRevision } = reply;
  return hash === expected.hash
    ? { member, endpoint, answer: { outcome: 'equal', hash, compactRevision } }
    : { member, endpoint, answer: { outcome: 'different', hash, expected: expected.hash, compactRevision } };
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
  const equal = answers.filter(({ answer }) => answer.outcome === 'equal').length;
  const different = answers.filter(({ answer }) => answer.outcome === 'different');
  const heard = `${equal} of ${voters} voting members hold the same data`;
  const dissent = different.length > 0 ? `, ${different.map(({ member }) => member).join(', ')} differs` : '';
  if (equal * 2 > voters) return { verdict: 'majority', because: heard + dissent };
  if (different.length * 2 > voters) return { verdict: 'minority', because: heard + dissent };
  return { verdict: 'unknown', because: heard + dissent };
}
