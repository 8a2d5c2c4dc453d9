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

/** What the answers say of one member that gave one. */
export interface MemberVerdict {
  readonly endpoint: string;
  readonly member: string;
  /** Holds something else than more than half of the voting members; or, where no so many agree, one of those that contradict each other. */
  readonly diverged: boolean;
}

export interface Divergence {
  readonly members: readonly MemberVerdict[];
  /** Whether more than half of the voting members hold the same, be it what the file holds or something else. */
  readonly majority: boolean;
}

/**
 * Who holds something else than the others. Members that differ from the file agree with each other when they gave the same hash under
 * the same compaction; under different compactions nobody can tell, and they count as contradicting each other.
 *
 * @param votingMembers as for {@link attest}
 */
export function judgeMembers(answers: readonly MemberAnswer[], votingMembers: number): Divergence {
  const groups = new Map<string, MemberAnswer[]>();
  for (const heard of answers) {
    const held = holdingOf(heard);
    if (held !== undefined) groups.set(held, [...(groups.get(held) ?? []), heard]);
  }
  const voices = (group: readonly MemberAnswer[]) => new Set(group.map(voiceOf)).size;
  const majority = [...groups.values()].find((group) => voices(group) * 2 > Math.max(votingMembers, 1));
  const contradicted = groups.size > 1;
  return {
    majority: majority !== undefined,
    members: [...groups.values()].flatMap((group) =>
      group.map(({ endpoint, member }) => ({ endpoint, member, diverged: contradicted && group !== majority })),
    ),
  };
}

/** Two members with the same text hold the same data; undefined for one that said nothing of it. */
function holdingOf({ answer }: MemberAnswer): string | undefined {
  if (answer.outcome === 'equal') return 'as the file';
  return answer.outcome === 'different' ? `${answer.hash} under ${answer.compactRevision}` : undefined;
}

/** Two endpoints may lead to one member, which has one voice. */
const voiceOf = ({ memberId, endpoint }: MemberAnswer): string => memberId ?? endpoint;

/** Members that answered so, by voice. */
function voices(answers: readonly MemberAnswer[], outcome: 'equal' | 'different'): ReadonlyMap<string, string> {
  return new Map(answers.filter(({ answer }) => answer.outcome === outcome).map((heard) => [voiceOf(heard), heard.member]));
}
