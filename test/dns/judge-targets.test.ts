import fc from 'fast-check';
import type { TargetMemory } from '../../lambdas/contract/api-record';
import { judgeTargets } from '../../lambdas/dns/judge-targets';
import type { Judgement } from '../../lambdas/dns/judge-targets';

const THREE = ['10.0.1.10', '10.0.2.10', '10.0.3.10'];

/** Rounds in a row, each given as the addresses that answer; what a round finds is in the record for the next one. */
function rounds(
  answers: readonly (readonly string[])[],
  start: { published?: string[]; candidates?: string[]; away?: string[]; counts?: boolean } = {},
) {
  const { candidates = THREE, away = [], counts = true } = start;
  let published: readonly string[] = start.published ?? THREE;
  let memory: Readonly<Record<string, TargetMemory>> = {};
  const found: Judgement[] = [];
  for (const answering of answers) {
    const evidence = candidates.map((address) => ({
      address,
      answers: answering.includes(address),
      awayElsewhere: away.includes(address),
    }));
    const judged = judgeTargets({ evidence, memory, published, counts });
    found.push(judged);
    memory = judged.memory;
    if (judged.members.length > 0) published = judged.members;
  }
  return found.map(({ members }) => members);
}

const WITHOUT_FIRST = THREE.slice(1);

describe('which addresses belong into the record', () => {
  test('one that is dead leaves with the second round, and not with the first', () => {
    expect(rounds([WITHOUT_FIRST, WITHOUT_FIRST])).toEqual([THREE, WITHOUT_FIRST]);
  });

  test('one that comes back is in again with the second round', () => {
    expect(rounds([WITHOUT_FIRST, WITHOUT_FIRST, THREE, THREE])).toEqual([THREE, WITHOUT_FIRST, WITHOUT_FIRST, THREE]);
  });

  test('one that comes and goes changes nothing', () => {
    const turns = Array.from({ length: 12 }, (_, round) => (round % 2 === 0 ? WITHOUT_FIRST : THREE));

    expect(new Set(rounds(turns).map(String))).toEqual(new Set([String(THREE)]));
  });

  test('a looker who sees less than half is not believed, however long', () => {
    const one = [THREE[0]!];

    expect(rounds([one, one, one, one])).toEqual([THREE, THREE, THREE, THREE]);
    expect(rounds([[], [], []])).toEqual([THREE, THREE, THREE]);
  });

  test('and says why', () => {
    const evidence = THREE.map((address, index) => ({ address, answers: index === 0 }));

    expect(judgeTargets({ evidence, memory: {}, published: THREE, counts: true }).held).toMatch(/2 of 3 addresses do not answer at once/);
  });

  test('is believed where somebody else says the same', () => {
    expect(rounds([[THREE[0]!], [THREE[0]!]], { away: WITHOUT_FIRST })).toEqual([THREE, [THREE[0]]]);
  });

  test('half of two may be believed: one of them stays', () => {
    const two = THREE.slice(0, 2);

    expect(rounds([[two[0]!], [two[0]!]], { candidates: two, published: two })).toEqual([two, [two[0]]]);
  });

  test('the first that answers is taken at once where nothing is published', () => {
    expect(rounds([[], ['10.0.2.10'], THREE, THREE], { published: [] })).toEqual([[], ['10.0.2.10'], ['10.0.2.10'], THREE]);
  });

  test('another is taken at once where nothing that is published answers, and what is silent stays beside it', () => {
    const [first, second, third] = THREE as [string, string, string];

    expect(rounds([[second], [second], [second, third]], { published: [first] })).toEqual([[first, second], [first, second], [second]]);
  });

  test('what is no candidate any more is not asked for', () => {
    expect(rounds([['10.0.9.9']], { candidates: ['10.0.9.9'], published: THREE })).toEqual([['10.0.9.9']]);
  });

  test('a round that follows another at once does not count', () => {
    expect(rounds([WITHOUT_FIRST, WITHOUT_FIRST, WITHOUT_FIRST], { counts: false })).toEqual([THREE, THREE, THREE]);
  });
});

describe('for any history', () => {
  const round = fc.uniqueArray(fc.constantFrom(...THREE), { maxLength: 3 });

  test('what was once not empty never becomes empty', () => {
    fc.assert(
      fc.property(fc.array(round, { maxLength: 30 }), (history) => {
        for (const members of rounds(history)) expect(members).not.toEqual([]);
      }),
    );
  });

  test('an address only leaves after two rounds without an answer, and only comes after two with one, or when nothing else answers', () => {
    fc.assert(
      fc.property(fc.array(round, { minLength: 2, maxLength: 30 }), (history) => {
        const found = [THREE, ...rounds(history)];
        history.forEach((_, index) => {
          for (const address of THREE) {
            const [before, after] = [found[index]!.includes(address), found[index + 1]!.includes(address)];
            if (before === after) continue;
            if (after && !found[index]!.some((member) => history[index]!.includes(member))) continue;
            expect(index).toBeGreaterThan(0);
            expect([history[index - 1]!.includes(address), history[index]!.includes(address)]).toEqual([after, after]);
          }
        });
      }),
    );
  });

  test('while a majority answers steadily, everything in the record answers from the second round on', () => {
    const majority = round.filter((answering) => answering.length >= 2);
    fc.assert(
      fc.property(fc.array(round, { maxLength: 10 }), majority, (history, answering) => {
        const found = rounds([...history, ...Array.from({ length: 4 }, () => answering)]);
        expect(found.at(-1)).toEqual([...answering].sort());
      }),
    );
  });

  test('whoever answers, one of those that do is in', () => {
    fc.assert(
      fc.property(fc.array(round, { maxLength: 30 }), round, (history, published) => {
        rounds(history, { published }).forEach((members, index) => {
          if (history[index]!.length > 0) expect(members.some((member) => history[index]!.includes(member))).toBe(true);
        });
      }),
    );
  });

  test('one that comes and goes every round comes or goes at most once', () => {
    const other = fc.constantFrom('steady', 'dead');
    fc.assert(
      fc.property(fc.tuple(other, other), round, fc.boolean(), (others, published, first) => {
        const history = Array.from({ length: 20 }, (_, index) => [
          ...(index % 2 === Number(first) ? [THREE[0]!] : []),
          ...THREE.slice(1).filter((_address, at) => others[at] === 'steady'),
        ]);

        const belongs = [published, ...rounds(history, { published })].map((members) => members.includes(THREE[0]!));

        expect(belongs.filter((now, index) => index > 0 && now !== belongs[index - 1]).length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
