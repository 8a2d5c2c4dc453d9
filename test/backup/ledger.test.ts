import fc from 'fast-check';
import {
  EMPTY_LEDGER,
  ledgerText,
  merge,
  raise,
  readLedger,
  rebuild,
  recordRestore,
  verifiedSnapshotAge,
} from '../../lambdas/backup/ledger';
import type { Observation } from '../../lambdas/backup/ledger';
import { Ledger, MOST_RESTORES } from '../../lambdas/contract/ledger';
import { ID, anyLedger, ledger, lineage, minutesBefore, witness } from './ledgers';
import { NOW } from './snapshots';

const RUNS = { numRuns: 500 };
const poll = (overrides: Partial<Observation> = {}): Observation => ({ lineage: 'a1', revision: 1_000, at: NOW, led: true, ...overrides });
const at = (minutes: number) => new Date(minutesBefore(minutes));

describe('a poll', () => {
  test('of a cluster that was never seen opens a lineage', () => {
    expect(raise(EMPTY_LEDGER, poll())).toEqual({
      version: 1,
      ceiling: 1_000,
      lineages: {
        a1: {
          revision: 1_000,
          raisedAt: NOW.toISOString(),
          firstSeenAt: NOW.toISOString(),
          lastSeenAt: NOW.toISOString(),
          rate: { at: NOW.toISOString(), revision: 1_000 },
        },
      },
      restores: [],
    });
  });

  const known = ledger({ lineages: { a1: lineage() } });
  test('raises its lineage and measures how fast it is written to', () => {
    expect(raise(known, poll({ revision: 1_120 })).lineages['a1']).toEqual({
      ...lineage(),
      revision: 1_120,
      raisedAt: NOW.toISOString(),
      lastSeenAt: NOW.toISOString(),
      rate: { ...lineage().rate, at: NOW.toISOString(), revision: 1_120, recent: 120, peak: 120 },
    });
  });

  test.each<[string, Partial<Observation>]>([
    ['sees nothing new a minute later', {}],
    ['sees less than is known a day later, which does not tell how far it came before it fell', { revision: 999, at: at(-24 * 60) }],
    ['of a member without a leader sees nothing new a day later', { led: false, at: at(-24 * 60) }],
    ['ends after a later one', { at: at(3) }],
  ])('that %s is not worth a write', (_what, overrides) => {
    expect(raise(known, poll(overrides))).toBe(known);
  });

  test.each<[string, Partial<Observation>, string]>([
    ['five minutes without news', { at: at(-4) }, minutesBefore(-4)],
    ['a clock that was set back by an hour', { at: at(60) }, minutesBefore(60)],
  ])('after %s renews the time of the last sight and lowers nothing', (_what, overrides, lastSeenAt) => {
    expect(raise(known, poll(overrides))).toMatchObject({ ceiling: 1_000, lineages: { a1: { revision: 1_000, lastSeenAt } } });
  });

  test('of a member that knows no leader raises the revision, and does not claim that the cluster is no further', () => {
    const { a1 } = raise(known, poll({ revision: 2_000, led: false })).lineages;

    expect(a1).toEqual({ ...lineage(), revision: 2_000, raisedAt: NOW.toISOString() });
  });

  test('takes the whole rise after some idle minutes for the rise of the last one, since idle polls write nothing', () => {
    const rate = { ...lineage().rate!, at: minutesBefore(5) };

    expect(raise(ledger({ lineages: { a1: lineage({ rate }) } }), poll({ revision: 1_500 })).lineages['a1']?.rate).toMatchObject({
      recent: 100,
      peak: 500,
    });
  });

  test('measures nothing over less than 45 seconds, so that many polls do not cut a busy minute into quiet ones', () => {
    const soon = new Date(NOW.getTime() - 60_000 + 44_000);

    expect(raise(known, poll({ revision: 1_100, at: soon })).lineages['a1']?.rate).toEqual(lineage().rate);
  });

  test('never lowers anything, whatever it sees and whatever the clock says', () => {
    const polls = fc.record({
      lineage: fc.constantFrom('a1', 'b2'),
      revision: fc.nat(5),
      minutes: fc.integer({ min: -20, max: 20 }),
      led: fc.boolean(),
    });
    fc.assert(
      fc.property(anyLedger, fc.array(polls, { maxLength: 8 }), (start, seen) => {
        const end = seen.reduce((known_, { minutes, ...rest }) => raise(known_, { ...rest, at: at(minutes) }), start);

        expect(end.ceiling).toBe(Math.max(start.ceiling, ...seen.map(({ revision }) => revision)));
        for (const [id, { revision }] of Object.entries(start.lineages))
          expect(end.lineages[id]!.revision).toBeGreaterThanOrEqual(revision);
        expect(Ledger.parse(JSON.parse(ledgerText(end)))).toEqual(end);
      }),
      RUNS,
    );
  });
});

describe('merging two ledgers', () => {
  test('is commutative, associative and idempotent, so that the order of copies and repetitions do not matter', () => {
    fc.assert(
      fc.property(anyLedger, anyLedger, anyLedger, (a, b, c) => {
        expect(ledgerText(merge(a, b))).toBe(ledgerText(merge(b, a)));
        expect(ledgerText(merge(merge(a, b), c))).toBe(ledgerText(merge(a, merge(b, c))));
        expect(ledgerText(merge(a, a))).toBe(ledgerText(a));
        expect(ledgerText(merge(merge(a, b), b))).toBe(ledgerText(merge(a, b)));
      }),
      RUNS,
    );
  });

  test('takes the maximum of everything', () => {
    fc.assert(
      fc.property(anyLedger, anyLedger, (a, b) => {
        const both = merge(a, b);

        expect(both.ceiling).toBe(Math.max(a.ceiling, b.ceiling));
        for (const id of ['a1', 'b2', 'constructor']) {
          const of = ({ lineages }: Ledger) => (Object.hasOwn(lineages, id) ? lineages[id]!.revision : -1);
          expect(of(both)).toBe(Math.max(of(a), of(b)));
        }
      }),
      RUNS,
    );
  });
});

test.each([
  ['the later of two sights of one revision counts', 1_000, minutesBefore(3)],
  ['a later sight of a lower revision does not: how far it came before it fell, nobody saw', 999, minutesBefore(9)],
])('%s', (_sentence, revision, lastSeenAt) => {
  const [a, b] = [lineage({ lastSeenAt: minutesBefore(9) }), lineage({ revision, lastSeenAt: minutesBefore(3) })];

  expect(merge(ledger({ lineages: { a1: a } }), ledger({ lineages: { a1: b } })).lineages['a1']).toMatchObject({
    revision: 1_000,
    lastSeenAt,
  });
});

describe('what the snapshots alone know', () => {
  test('is the highest revision of each lineage, and the newest verified one', () => {
    const manifests = [
      witness({ revision: 900, takenAt: minutesBefore(60) }),
      witness({ revision: 950, takenAt: minutesBefore(30), verified: false }),
      witness({ id: '20261116T120000Z-00000002', lineage: 'b2', revision: 700, takenAt: minutesBefore(90) }),
    ];

    expect(rebuild(manifests)).toEqual({
      version: 1,
      ceiling: 950,
      lineages: {
        a1: { revision: 950, raisedAt: minutesBefore(30), firstSeenAt: minutesBefore(60) },
        b2: { revision: 700, raisedAt: minutesBefore(90), firstSeenAt: minutesBefore(90), lastSeenAt: minutesBefore(90) },
      },
      restores: [],
      newestVerified: { id: ID, takenAt: minutesBefore(60), revision: 900, lineage: 'a1' },
    });
  });

  test('does not say that the cluster was no further where only an unverified one tells of it: its member may have sat apart', () => {
    expect(rebuild([witness({ verified: false })]).lineages['a1']).not.toHaveProperty('lastSeenAt');
  });

  test('two snapshots of the same moment count by the higher revision (peer failure 15)', () => {
    const same = [witness({ revision: 901 }), witness({ id: '20261116T120000Z-00000002', revision: 902 })];

    expect(rebuild(same)).toMatchObject({ ceiling: 902, newestVerified: { revision: 902 } });
    expect(rebuild(same.toReversed())).toEqual(rebuild(same));
  });
});

describe('a restore', () => {
  const record = { at: NOW.toISOString(), snapshot: ID, fromLineage: 'a1', bumpedTo: 5_000 };

  test('raises the ceiling at once, before the new lineage was ever seen', () => {
    expect(recordRestore(ledger({ lineages: { a1: lineage() } }), record)).toMatchObject({ ceiling: 5_000, restores: [record] });
  });

  test('that is noted again once the new lineage is known is the same restore', () => {
    const complete = { ...record, newLineage: 'b2' };

    expect(recordRestore(recordRestore(EMPTY_LEDGER, record), complete).restores).toEqual([complete]);
    expect(recordRestore(recordRestore(EMPTY_LEDGER, complete), record).restores).toEqual([complete]);
  });

  test('is forgotten after twenty newer ones; how far it went is not', () => {
    const restores = Array.from({ length: 30 }, (_, n) => ({ ...record, at: minutesBefore(n), bumpedTo: 5_000 + n }));
    const noted = restores.reduce(recordRestore, EMPTY_LEDGER);

    expect(noted.restores).toEqual(restores.slice(0, MOST_RESTORES));
    expect(noted.ceiling).toBe(5_029);
  });
});

describe('reading the stored text', () => {
  const whole = ledger({
    lineages: { a1: lineage(), b2: lineage({ revision: 7_000 }) },
    restores: [{ at: NOW.toISOString(), snapshot: ID, fromLineage: 'a1', bumpedTo: 6_000 }],
    newestVerified: { id: ID, takenAt: minutesBefore(60), revision: 900, lineage: 'a1' },
  });
  type Loose = Record<string, unknown> & { lineages: Record<string, Record<string, unknown>> };
  const changed = (change: (value: Loose) => void) => {
    const value = JSON.parse(ledgerText(whole)) as Loose;
    change(value);
    return JSON.stringify(value);
  };

  test('tells a missing ledger from a fine one', () => {
    expect(readLedger(undefined)).toEqual({ state: 'missing', ledger: EMPTY_LEDGER });
    expect(readLedger(ledgerText(whole))).toEqual({ state: 'fine', ledger: whole });
  });

  test.each<[string, string, string, Partial<Ledger>]>([
    ['nothing of an empty one', '', 'the whole of it', EMPTY_LEDGER],
    ['nothing of one that was cut off', ledgerText(whole).slice(0, -100), 'the whole of it', EMPTY_LEDGER],
    ['nothing of a list', '[]', 'the whole of it', EMPTY_LEDGER],
    ['everything of one of another version', changed((value) => { value['version'] = 2; }), 'version', whole], // prettier-ignore
    [
      'the other lineage where one does not parse',
      changed((value) => {
        value.lineages['a1']!['revision'] = -1;
        delete value['newestVerified'];
        value['ceiling'] = 'high';
      }),
      'ceiling, lineages.a1.revision',
      { ceiling: 7_000, lineages: { b2: whole.lineages['b2']! }, restores: whole.restores },
    ],
    [
      'the lineages where the restores do not parse',
      changed((value) => {
        value['restores'] = 'none';
        value['newestVerified'] = { id: 'x' };
      }),
      'restores, newestVerified.id, newestVerified.takenAt, newestVerified.revision, newestVerified.lineage',
      { ceiling: 7_000, lineages: whole.lineages, restores: [] },
    ],
    ['a ceiling that stands alone', '{"ceiling":12}', 'version, lineages, restores', { ceiling: 12 }],
    [
      'no revision that is not exact',
      changed((value) => { value.lineages['a1']!['revision'] = 2 ** 60; value['ceiling'] = 2 ** 60; }), // prettier-ignore
      'ceiling, lineages.a1.revision',
      { ceiling: 7_000, lineages: { b2: whole.lineages['b2']! } },
    ],
  ])('saves %s', (_what, text, fields, saved) => {
    const reading = readLedger(text);

    expect(reading).toMatchObject({ state: 'damaged', because: `the ledger does not parse: ${fields}`, ledger: saved });
    expect(Object.keys(reading.ledger.lineages)).toEqual(Object.keys(saved.lineages ?? {}));
  });

  test('a minus before a zero changes nothing', () => {
    const { ledger: read } = readLedger(
      ledgerText(ledger({ lineages: { a1: lineage({ revision: 0 }) } })).replace('"revision": 0', '"revision":-0'),
    );

    expect(read.lineages['a1']?.revision).toBe(0);
  });

  test('never throws and never makes up a revision, however the text is cut or changed', () => {
    const damage = fc.record({ cut: fc.nat(2_000), at: fc.nat(2_000), char: fc.constantFrom('"', '{', '9', 'x', '-') });
    fc.assert(
      fc.property(anyLedger, damage, (known, { cut, at: index, char }) => {
        const text = ledgerText(known);
        const damaged =
          index % 2 === 0
            ? text.slice(0, cut % text.length)
            : text.slice(0, index % text.length) + char + text.slice((index % text.length) + 1);
        const reading = readLedger(damaged);

        expect(Ledger.parse(JSON.parse(ledgerText(reading.ledger)))).toEqual(reading.ledger);
        if (char !== '9' && reading.state === 'damaged') expect(reading.ledger.ceiling).toBeLessThanOrEqual(Math.max(known.ceiling, 99));
      }),
      RUNS,
    );
  });
});

describe('the age of the newest verified snapshot', () => {
  const of = (minutes: number) => ledger({ newestVerified: { id: ID, takenAt: minutesBefore(minutes), revision: 1, lineage: 'a1' } });

  test.each<[string, Ledger, number | undefined]>([
    ['is in seconds', of(90), 5_400],
    ['is never negative, clocks differ a little', of(-4), 0],
    ['is unknown where a clock dated it into the future: the alarm on missing data must sound', of(-6), undefined],
    ['is unknown where there is none', EMPTY_LEDGER, undefined],
  ])('%s', (_sentence, known, age) => {
    expect(verifiedSnapshotAge(known, NOW)).toBe(age);
  });
});
