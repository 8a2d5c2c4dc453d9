import type { MemberAnswer } from '../../lambdas/contract/manifest';
import { attest, compareAnswer } from '../../lambdas/backup/attest';

const named = (member: string) => ({ member, memberId: member.slice(0, 1), endpoint: `https://${member}:2379` });
const equal = (member: string): MemberAnswer =>
  compareAnswer(named(member), { outcome: 'answered', hash: 'aaaaaaaa', compactRevision: 5 }, { hash: 'aaaaaaaa' });
const different = (member: string): MemberAnswer =>
  compareAnswer(named(member), { outcome: 'answered', hash: 'bbbbbbbb', compactRevision: 5 }, { hash: 'aaaaaaaa' });
const silent = (member: string): MemberAnswer =>
  compareAnswer(named(member), { outcome: 'unreachable', because: 'down' }, { incomparable: '' });
const unclear = (member: string): MemberAnswer =>
  compareAnswer(named(member), { outcome: 'answered', hash: 'cccccccc', compactRevision: 9 }, { incomparable: 'compacted later' });

describe('attest', () => {
  test.each<[string, MemberAnswer[], number, string]>([
    ['three of three agree', [equal('a'), equal('b'), equal('c')], 3, 'majority'],
    ['two of three agree and one is down', [equal('a'), equal('b'), silent('c')], 3, 'majority'],
    ['one of three agrees: a single voice is no majority', [equal('a'), silent('b'), silent('c')], 3, 'unknown'],
    ['two of four agree: half is no majority', [equal('a'), equal('b'), silent('c'), silent('d')], 4, 'unknown'],
    ['a single-member cluster is its own majority', [equal('a')], 1, 'majority'],
    ['the file came from the one that differs', [equal('a'), different('b'), different('c')], 3, 'minority'],
    ['one differs but the majority agrees', [equal('a'), equal('b'), different('c')], 3, 'majority'],
    ['answers that cannot be compared say nothing', [unclear('a'), unclear('b'), unclear('c')], 3, 'unknown'],
    ['members beyond the configured endpoints count as voters', [equal('a')], 3, 'unknown'],
    ['two endpoints of one member are one voice', [equal('a'), equal('a-by-another-name')], 3, 'unknown'],
    ['nobody told how many vote', [], 0, 'unknown'],
  ])('%s', (_sentence, answers, voters, verdict) => {
    expect(attest(answers, voters).verdict).toBe(verdict);
  });

  test('names the member that differs', () => {
    expect(attest([equal('a'), equal('b'), different('c')], 3).because).toBe('2 of 3 voting members hold the same data, c differs');
  });
});
