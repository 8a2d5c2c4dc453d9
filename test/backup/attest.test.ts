import type { MemberAnswer } from '../../lambdas/contract/manifest';
import { attest, compareAnswer, judgeMembers } from '../../lambdas/backup/attest';

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

describe('judgeMembers', () => {
  const other = (member: string): MemberAnswer =>
    compareAnswer(named(member), { outcome: 'answered', hash: 'dddddddd', compactRevision: 5 }, { hash: 'aaaaaaaa' });
  const later = (member: string): MemberAnswer =>
    compareAnswer(named(member), { outcome: 'answered', hash: 'bbbbbbbb', compactRevision: 6 }, { hash: 'aaaaaaaa' });

  test.each<[string, MemberAnswer[], number, string[], boolean]>([
    ['nobody when all agree with the file', [equal('a'), equal('b'), equal('c')], 3, [], true],
    ['the one that differs from the file and from the majority', [equal('a'), equal('b'), different('c')], 3, ['c'], true],
    [
      'the one that the file came from, when the others agree on something else',
      [equal('a'), different('b'), different('c')],
      3,
      ['a'],
      true,
    ],
    ['nobody when all agree with each other and only the file differs', [different('a'), different('b'), different('c')], 3, [], true],
    ['both when two contradict each other and the third is silent', [equal('a'), different('b'), silent('c')], 3, ['a', 'b'], false],
    ['all three when each holds something else', [equal('a'), different('b'), other('c')], 3, ['a', 'b', 'c'], false],
    [
      'those under different compactions: nobody can tell that they agree',
      [equal('a'), different('b'), later('c')],
      3,
      ['a', 'b', 'c'],
      false,
    ],
    ['nobody who said nothing that can be compared', [equal('a'), equal('b'), unclear('c')], 3, [], true],
    ['nobody when one alone answers', [equal('a'), silent('b'), silent('c')], 3, [], false],
    ['two of five against three', [equal('a'), equal('b'), different('c'), different('d'), equal('e')], 5, ['c', 'd'], true],
    [
      'both, when two endpoints of one member are its only supporters',
      [equal('a'), equal('a-too'), different('b')],
      3,
      ['a', 'a-too', 'b'],
      false,
    ],
  ])('names %s (peer failure 34)', (_sentence, answers, voters, diverged, majority) => {
    const judged = judgeMembers(answers, voters);

    expect(judged.members.filter((each) => each.diverged).map(({ member }) => member)).toEqual(diverged);
    expect(judged.majority).toBe(majority);
  });

  test('says of every member that gave a comparable answer that it holds the same, so that an alarm can end', () => {
    const { members } = judgeMembers([equal('a'), silent('b'), different('c'), equal('d')], 4);

    expect(members.map(({ endpoint }) => endpoint)).toEqual(['https://a:2379', 'https://d:2379', 'https://c:2379']);
  });
});
