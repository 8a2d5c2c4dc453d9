import { FOLLOWS, IS_BY_OLD } from '../../e2e/authority-clients';
import { judgeClient, judgeShutOut, judgeTraffic } from '../../e2e/judge-clients';
import type { MayBeCut } from '../../e2e/judge-clients';
import { isRefusal } from '../../e2e/steady-clients';
import { summaryOf } from '../../e2e/traffic';
import { Narrator } from '../../local/narrator';

const silent = () => new Narrator(0, { write: () => true } as unknown as NodeJS.WritableStream);
/** One request a second, each good or failed. */
const sent = (failures: readonly (string | undefined)[]) =>
  failures.map((failure, second) => ({ kind: 'read' as const, at: second * 1_000, ms: 10, ...(failure !== undefined && { failure }) }));
const clients = (...failures: (string | undefined)[]) => ({
  seenBy: (_: string, from: number, until = Infinity) => {
    const seen = sent(failures).filter(({ at }) => at >= from && at < until);
    return { ...summaryOf(seen), refusals: seen.filter(({ failure }) => failure !== undefined && isRefusal(failure)).length };
  },
});

describe('a client that is to be let in', () => {
  test.each<[string, readonly (string | undefined)[], MayBeCut, number]>([
    ['is', [undefined, undefined], 'none', 0],
    ['is refused once', [undefined, '401 Unauthorized'], 'any', 1],
    ['is cut where nothing starts', [undefined, 'ECONNRESET'], 'none', 1],
    ['is cut where much may be', ['ECONNREFUSED', undefined], 'any', 0],
    ['is cut more often than few', ['ECONNREFUSED', undefined], 'few', 1],
  ])('%s', (_sentence, failures, cut, failed) => {
    const narrator = silent();

    judgeClient(narrator, clients(...failures), FOLLOWS, [[0, 10_000]], cut);

    expect(narrator.failed).toBe(failed);
  });

  test('is refused between the spans, which nobody minds', () => {
    const narrator = silent();

    const seen = judgeClient(
      narrator,
      clients(undefined, '401 Unauthorized', undefined),
      IS_BY_OLD,
      [
        [0, 1_000],
        [2_000, 3_000],
      ],
      'none',
    );

    expect(narrator.failed).toBe(0);
    expect(seen).toMatchObject({ requests: 2, refusals: 0 });
  });
});

describe('a client that is to be let in nowhere', () => {
  test.each<[string, readonly (string | undefined)[], number]>([
    ['is refused', ['401 Unauthorized', '401 Unauthorized'], 0],
    ['is let in once', ['401 Unauthorized', undefined], 1],
    ['was never seen', [], 1],
    ['finds nobody, which is no refusal', ['ECONNREFUSED', 'ECONNREFUSED'], 1],
  ])('%s', (_sentence, failures, failed) => {
    const narrator = silent();

    judgeShutOut(narrator, clients(...failures), IS_BY_OLD, 0);

    expect(narrator.failed).toBe(failed);
  });
});

test.each<[string, readonly (string | undefined)[], number]>([
  ['few of the traffic are cut', [...Array<undefined>(399).fill(undefined), 'ECONNRESET'], 0],
  ['one of it is refused', [...Array<undefined>(399).fill(undefined), '401 Unauthorized'], 1],
])('%s', (_sentence, failures, failed) => {
  const narrator = silent();

  judgeTraffic(narrator, { since: () => summaryOf(sent(failures)) }, 0, 'few');

  expect(narrator.failed).toBe(failed);
});
