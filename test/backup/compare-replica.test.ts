import fc from 'fast-check';
import type { ListedObject } from '../../lambdas/backup/catalog';
import { compareReplica } from '../../lambdas/backup/compare-replica';
import { manifestKey, snapshotKey } from '../../lambdas/contract/s3-keys';
import { NOW } from './snapshots';

const CLUSTER = 'prod';
const idOf = (n: number) => `20260101T000000Z-${n.toString(16).padStart(8, '0')}`;
const ago = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);

interface Stored {
  readonly n: number;
  readonly minutes?: number;
  readonly bytes?: number;
  readonly cluster?: string;
  readonly parts?: readonly ('manifest' | 'object')[];
}

/** Both objects of a snapshot that was published so many minutes ago, or one of them. */
const snapshot = ({ n, minutes = 0, bytes = 1000, cluster = CLUSTER, parts = ['manifest', 'object'] }: Stored): ListedObject[] =>
  parts.map((part) => ({
    key: part === 'manifest' ? manifestKey(cluster, idOf(n)) : snapshotKey(cluster, idOf(n)),
    bytes: part === 'manifest' ? 300 : bytes,
    lastModified: ago(minutes),
  }));

const compare = (here: readonly Stored[], there: readonly Stored[]) =>
  compareReplica(CLUSTER, here.flatMap(snapshot), there.flatMap(snapshot), NOW);
const numbers = (missing: readonly { readonly id: string }[]) => missing.map(({ id }) => parseInt(id.slice(-8), 16));

const [old, middle, newest] = [
  { n: 1, minutes: 120 },
  { n: 2, minutes: 60 },
  { n: 3, minutes: 5 },
];

test.each<[what: string, here: Stored[], there: Stored[], behind: number[], older: number[], minutes: number]>([
  ['nothing is missing of nothing', [], [], [], [], 0],
  ['a replica that holds all is whole', [old, middle, newest], [old, middle, newest], [], [], 0],
  ['what the replica lacks is late since it was published', [old, middle, newest], [old, middle], [3], [], 5],
  ['the oldest that is late tells how late', [old, middle, newest], [old], [2, 3], [], 60],
  ['a gap between copies is late', [old, middle, newest], [old, newest], [2], [], 60],
  ['a first copy that is not whole is late too', [old, newest], [{ ...old, parts: ['manifest'] }], [1, 3], [], 120],
  ['what was published before all copies waits for a person', [old, middle, newest], [newest], [], [1, 2], 0],
  ['while there is no copy at all everything of the last day is late', [{ n: 1, minutes: 1441 }, middle, newest], [], [2, 3], [1], 60],
  [
    'while there is no copy at all the newest is late, however old',
    [
      { n: 1, minutes: 4000 },
      { n: 2, minutes: 3000 },
    ],
    [],
    [2],
    [1],
    3000,
  ],
  ['the only one is late when there is no copy', [old], [], [1], [], 120],
  ['what only the replica holds is no loss', [newest], [old, middle, newest], [], [], 0],
  ['what nobody lists here is owed to nobody', [old, { ...middle, parts: ['object'] }], [old], [], [], 0],
  ['a manifest without its object is nobody’s snapshot', [old, { ...middle, parts: ['manifest'] }], [old], [], [], 0],
  ['another cluster does not count', [old, { ...middle, cluster: 'prod-eu' }], [old], [], [], 0],
  ['a copy of another cluster is none', [old], [{ ...old, cluster: 'prod-eu' }], [1], [], 120],
])('%s', (_what, here, there, behind, older, minutes) => {
  const report = compare(here, there);

  expect([numbers(report.behind), numbers(report.older), report.behindSeconds]).toEqual([behind, older, minutes * 60]);
});

test.each<[what: string, copy: Stored, lacks: string[]]>([
  ['no manifest', { ...middle, parts: ['object'] }, ['manifest']],
  ['no object', { ...middle, parts: ['manifest'] }, ['object']],
  ['an object of another size', { ...middle, bytes: 999 }, ['object']],
  ['an empty object', { ...middle, bytes: 0 }, ['object']],
])('a copy with %s is not whole, and says what it lacks', (_what, copy, lacks) => {
  expect(compare([old, middle], [old, copy])).toMatchObject({ snapshots: 2, whole: 1, behind: [{ id: idOf(2), lacks }] });
});

test.each([15, 30, 60, 1440])(
  'replication that was never on is late at every look of two days, with a snapshot every %i minutes',
  (every) => {
    const start = 2 * 1440;
    for (let at = 1440 + every; at <= start; at += 15) {
      const published = Array.from({ length: Math.floor(at / every) }, (_, n) => ({ n: n % 16, minutes: at - (n + 1) * every }));
      const unique = published.slice(-15).map(({ minutes }, n) => ({ n, minutes }));
      const { behindSeconds } = compare(unique, []);
      if (every < 1440) expect(behindSeconds).toBeGreaterThan(30 * 60);
      else expect(behindSeconds).toBeGreaterThanOrEqual(0);
    }
  },
);

test('a clock behind that of S3 makes nothing late by less than nothing', () => {
  expect(compare([old, { n: 2, minutes: -3 }], [old]).behindSeconds).toBe(0);
});

const stored = fc.uniqueArray(fc.record({ n: fc.nat(15), minutes: fc.nat(1000) }), { selector: ({ n }) => n, maxLength: 15 });

test('every snapshot is whole, behind or older, whatever the replica holds and however it was listed', () => {
  fc.assert(
    fc.property(stored, stored, fc.boolean(), (here, there, backwards) => {
      const report = compare(backwards ? here.toReversed() : here, there);

      const missing = here.filter(({ n }) => !there.some((copy) => copy.n === n)).map(({ n }) => n);
      expect(report.whole).toBe(here.length - missing.length);
      expect([...numbers(report.older), ...numbers(report.behind)].sort()).toEqual(missing.sort());
      expect(report.behindSeconds === 0).toBe(report.behind.every(({ publishedAt }) => publishedAt.getTime() === NOW.getTime()));
    }),
  );
});

test('one more copy never makes the replica later', () => {
  fc.assert(
    fc.property(stored, fc.nat(14), (here, at) => {
      const [first, ...rest] = here.toSorted((a, b) => b.minutes - a.minutes || a.n - b.n);
      if (first === undefined) return;
      const copies = [first, ...rest.filter((_, index) => index % 3 === 0)];

      expect(compare(here, [...copies, ...rest.slice(at, at + 1)]).behindSeconds).toBeLessThanOrEqual(compare(here, copies).behindSeconds);
    }),
  );
});

describe('a manifest that a drill wrote again', () => {
  const rewritten = (n: number, published: number, drilled: number): ListedObject[] => [
    ...snapshot({ n, minutes: published, parts: ['object'] }),
    ...snapshot({ n, minutes: drilled, parts: ['manifest'] }),
  ];
  const report = (here: ListedObject[], there: ListedObject[]) => {
    const { behind, older, behindSeconds } = compareReplica(CLUSTER, here, there, NOW);
    return [numbers(behind), numbers(older), behindSeconds / 60];
  };
  const [first, last] = [snapshot({ n: 1, minutes: 300 }), snapshot({ n: 3, minutes: 5 })];

  test('is owed since then', () => {
    const here = [...rewritten(2, 200, 4), ...last].map((object) => (object.key.endsWith('.json') ? { ...object, bytes: 400 } : object));
    const there = [
      ...snapshot({ n: 2, minutes: 200 }),
      ...last.map((object) => (object.key.endsWith('.json') ? { ...object, bytes: 400 } : object)),
    ];

    expect(report(here, there)).toEqual([[2], [], 4]);
  });

  test('hides nothing that is owed for longer', () => {
    const here = [...rewritten(2, 200, 4), ...snapshot({ n: 4, minutes: 100 })];
    const there = snapshot({ n: 2, minutes: 200, parts: ['object'] });

    expect(report(here, there)).toEqual([[2, 4], [], 100]);
  });

  test('does not make those late that were never owed: only its manifest came over', () => {
    const here = [...first, ...rewritten(2, 200, 60), ...last];

    expect(report(here, [...snapshot({ n: 2, minutes: 60, parts: ['manifest'] }), ...last])).toEqual([[], [1, 2], 0]);
  });

  test('does not make a snapshot younger than those that were published after it', () => {
    const here = [...rewritten(2, 200, 1), ...snapshot({ n: 4, minutes: 100 }), ...last];

    expect(report(here, [...rewritten(2, 200, 1), ...last])).toEqual([[4], [], 100]);
  });
});
