import fc from 'fast-check';
import { planRetention } from '../../lambdas/backup/retention';
import type { StoredSnapshot, Verdict } from '../../lambdas/backup/retention';
import type { RetentionPolicy } from '../../lambdas/contract/retention';
import { NOW, daysBefore, policy, snapshot } from './snapshots';

const removed = (verdicts: readonly Verdict[]) => verdicts.flatMap(({ action, id }) => (action === 'remove' ? [id] : [])).sort();
const verdictOn = (id: string, stored: readonly StoredSnapshot[], rules: RetentionPolicy) =>
  planRetention(stored, rules, NOW).find((verdict) => verdict.id === id);

const at = (id: string, time: string, overrides: Partial<StoredSnapshot> = {}) =>
  snapshot(id, { takenAt: new Date(`${time}Z`), ...overrides });
const unverified = { verified: false };

const drilledBy = (kind: 'restored' | 'in-function') => ({ drill: { kind, passedAt: NOW } });

describe('planRetention', () => {
  test.each<[sentence: string, stored: StoredSnapshot[], rules: Partial<RetentionPolicy>, removed: string[]]>([
    ['has nothing to say of nothing', [], {}, []],
    ['keeps the last good snapshot however old it is', [snapshot('a', { daysOld: 4000 })], {}, []],
    [
      'keeps the floor however old it is',
      [snapshot('a', { daysOld: 400 }), snapshot('b', { daysOld: 500 }), snapshot('c', { daysOld: 600 })],
      { floor: 2 },
      ['c'],
    ],
    [
      'does not count an unverified snapshot towards the floor',
      [snapshot('bad', { daysOld: 1, ...unverified }), snapshot('a', { daysOld: 30 }), snapshot('b', { daysOld: 40 })],
      { floor: 2 },
      [],
    ],
    [
      'keeps the last of each hour, by UTC',
      [at('a', '2026-11-16T09:00:00'), at('b', '2026-11-16T09:59:59'), at('c', '2026-11-16T10:00:00'), at('d', '2026-11-16T10:30:00')],
      { hourly: 2 },
      ['a', 'c'],
    ],
    [
      'counts hours that hold a snapshot, not hours that passed',
      [at('a', '2026-10-01T09:00:00'), at('b', '2026-10-03T17:00:00'), at('c', '2026-11-16T09:00:00')],
      { hourly: 3 },
      [],
    ],
    [
      'keeps the last of each day, by UTC',
      [at('a', '2026-11-14T00:00:00'), at('b', '2026-11-14T23:59:59'), at('c', '2026-11-15T00:00:00'), at('d', '2026-11-15T12:00:00')],
      { daily: 2 },
      ['a', 'c'],
    ],
    [
      'begins a week on Monday, and knows weeks that lie in two years',
      [
        at('sunday', '2026-01-04T12:00:00'),
        at('thursday', '2026-01-01T12:00:00'),
        at('wednesday', '2025-12-31T12:00:00'),
        at('monday', '2026-01-05T00:00:00'),
      ],
      { weekly: 2 },
      ['thursday', 'wednesday'],
    ],
    [
      'keeps the last of each month and of each year',
      [
        at('a', '2024-12-31T23:00:00'),
        at('b', '2025-11-30T12:00:00'),
        at('c', '2025-12-01T12:00:00'),
        at('d', '2026-11-01T12:00:00'),
        at('e', '2026-11-15T12:00:00'),
      ],
      { monthly: 2, yearly: 3 },
      ['b', 'd'],
    ],
    [
      'lets no unverified snapshot stand for an hour',
      [at('good', '2026-11-16T09:00:00'), at('bad', '2026-11-16T09:30:00', unverified), at('newest', '2026-11-16T11:00:00')],
      { hourly: 2 },
      ['bad'],
    ],
    [
      'lets no snapshot by hand stand for an hour',
      [
        at('scheduled', '2026-11-16T09:00:00'),
        at('manual', '2026-11-16T09:30:00', { trigger: 'manual' }),
        at('newest', '2026-11-16T11:00:00'),
      ],
      { hourly: 2 },
      ['manual'],
    ],
    [
      'keeps each pre-change class as long as it says, to the day',
      [
        snapshot('newest'),
        snapshot('manual', { daysOld: 30, trigger: 'manual' }),
        snapshot('restore', { daysOld: 29, trigger: 'pre-restore' }),
        snapshot('rotation', { daysOld: 30.001, trigger: 'pre-rotation' }),
      ],
      { preChangeDays: 30 },
      ['rotation'],
    ],
    [
      'keeps what was saved before a restore although nobody could verify it',
      [snapshot('newest'), snapshot('safety', { daysOld: 5, trigger: 'pre-restore', ...unverified })],
      { preChangeDays: 30 },
      [],
    ],
    [
      'removes an unverified snapshot that is old and has a newer verified one',
      [snapshot('newest'), snapshot('old', { daysOld: 8, ...unverified }), snapshot('young', { daysOld: 7, ...unverified })],
      { unverifiedDays: 7 },
      ['old'],
    ],
    [
      'keeps every unverified snapshot that no verified one is newer than',
      [snapshot('good', { daysOld: 90 }), snapshot('a', { daysOld: 80, ...unverified }), snapshot('b', { daysOld: 70, ...unverified })],
      {},
      [],
    ],
    [
      'keeps an unverified snapshot when all that would supersede it go too',
      [
        snapshot('newest', { daysOld: 5, lineage: 'second', revision: 1 }),
        snapshot('good', { daysOld: 30, revision: 70 }),
        snapshot('bad', { daysOld: 4, revision: 60, ...unverified }),
        snapshot('last', { daysOld: 3, lineage: 'third', ...unverified }),
      ],
      {},
      ['good'],
    ],
    [
      'keeps all when none is verified',
      [snapshot('a', { daysOld: 80, ...unverified }), snapshot('b', { daysOld: 90, ...unverified })],
      {},
      [],
    ],
    [
      'keeps what is locked until its lock ends',
      [
        snapshot('newest'),
        snapshot('locked', { daysOld: 2, lockedUntil: new Date(NOW.getTime() + 1) }),
        snapshot('free', { daysOld: 3, lockedUntil: NOW }),
      ],
      {},
      ['free'],
    ],
    [
      'keeps the way back behind a restore for a while',
      [
        snapshot('now', { lineage: 'second', revision: 50 }),
        snapshot('before', { daysOld: 80, revision: 900 }),
        snapshot('long before', { daysOld: 91, lineage: 'zeroth', revision: 900 }),
      ],
      { lineageDays: 90 },
      ['long before'],
    ],
    [
      'takes the newest from the lineage that was seen last, whatever its revision (peer failure 14)',
      [snapshot('restored', { daysOld: 1, lineage: 'second', revision: 10 }), snapshot('before', { daysOld: 2, revision: 99_999 })],
      {},
      ['before'],
    ],
    [
      'keeps the last good one of a cluster that came up empty, however many the empty one takes (peer failure 36)',
      [
        ...[1, 2, 3, 4, 5].map((hours) => snapshot(`empty ${hours}`, { daysOld: hours / 24, lineage: 'empty', revision: 9 - hours })),
        snapshot('last good', { daysOld: 1, revision: 5_000_000 }),
      ],
      { hourly: 2, lineageDays: 90 },
      ['empty 3', 'empty 4', 'empty 5'],
    ],
    [
      'within a lineage believes revisions more than clocks (peer failure 43)',
      [
        snapshot('highest', { daysOld: 900, revision: 70 }),
        snapshot('last', { daysOld: 1, revision: 60 }),
        snapshot('old', { daysOld: 2, revision: 50 }),
      ],
      {},
      ['old'],
    ],
    [
      'is not moved by a snapshot from the future',
      [snapshot('future', { daysOld: -400 }), snapshot('a', { daysOld: 1 }), snapshot('b', { daysOld: 2 })],
      { daily: 1 },
      ['b'],
    ],
    [
      'removes nothing on the word of a snapshot from the future (peer failure 43)',
      [snapshot('future', { daysOld: -1 }), snapshot('a', { daysOld: 90 })],
      {},
      [],
    ],
    [
      'keeps two of the same moment apart by revision (peer failure 15)',
      [snapshot('a', { daysOld: 1, revision: 5 }), snapshot('b', { daysOld: 1, revision: 6 })],
      { hourly: 1 },
      ['a'],
    ],
  ])('%s', (_sentence, stored, rules, expected) => {
    expect(removed(planRetention(stored, policy(rules), NOW))).toEqual(expected.toSorted());
  });

  test.each<[string, StoredSnapshot, Partial<RetentionPolicy>, string]>([
    ['future', snapshot('x', { daysOld: -1 }), {}, 'from-the-future'],
    ['newest', snapshot('x'), { hourly: 1 }, 'newest-verified'],
    ['floor', snapshot('x', { daysOld: 3 }), { floor: 3 }, 'floor'],
    ['hour', snapshot('x', { daysOld: 3 }), { hourly: 3, daily: 3 }, 'hourly'],
    ['day', snapshot('x', { daysOld: 3 }), { daily: 3 }, 'daily'],
    ['week', snapshot('x', { daysOld: 10 }), { weekly: 3 }, 'weekly'],
    ['month', snapshot('x', { daysOld: 30 }), { monthly: 3 }, 'monthly'],
    ['year', snapshot('x', { daysOld: 365 }), { yearly: 3 }, 'yearly'],
    ['last of all', snapshot('x', { daysOld: -0, verified: false, revision: 10 ** 10 }), {}, 'newest-of-any-kind'],
    ['lineage', snapshot('x', { daysOld: 3, lineage: 'zeroth' }), { lineageDays: 3 }, 'newest-of-lineage'],
    ['by hand', snapshot('x', { daysOld: 3, trigger: 'manual' }), { preChangeDays: 3 }, 'pre-change'],
    ['young', snapshot('x', { daysOld: 3, verified: false }), { unverifiedDays: 3 }, 'unverified-and-young'],
    ['locked', snapshot('x', { daysOld: 3, lockedUntil: daysBefore(-1) }), {}, 'locked'],
    ['rejected', snapshot('x', { daysOld: 3 }), {}, 'superseded'],
    ['rejected by hand', snapshot('x', { daysOld: 3, trigger: 'manual' }), {}, 'pre-change-expired'],
    ['rejected unverified', snapshot('x', { daysOld: 3, verified: false }), {}, 'unverified-and-superseded'],
  ])('says why: %s', (_what, one, rules, because) => {
    const others = [snapshot('o1', { daysOld: 1 }), snapshot('o2', { daysOld: 2 })];

    expect(verdictOn('x', [one, ...others], policy(rules))).toMatchObject({ because });
  });

  test.each<[string, StoredSnapshot[], string[]]>([
    [
      'a restored one, however old, before one that was read back',
      [
        snapshot('new'),
        snapshot('read', { daysOld: 2, ...drilledBy('in-function') }),
        snapshot('restored', { daysOld: 400, ...drilledBy('restored') }),
      ],
      ['restored'],
    ],
    [
      'the newest that was read back where none was restored',
      [
        snapshot('new'),
        snapshot('read', { daysOld: 2, ...drilledBy('in-function') }),
        snapshot('older', { daysOld: 3, ...drilledBy('in-function') }),
      ],
      ['read'],
    ],
    [
      'an unverified one that was restored',
      [snapshot('new'), snapshot('odd', { daysOld: 9, verified: false, ...drilledBy('restored') })],
      ['odd'],
    ],
    ['none of one whose time is yet to come', [snapshot('new'), snapshot('ahead', { daysOld: -1, ...drilledBy('restored') })], []],
  ])('keeps as drilled %s', (_what, stored, expected) => {
    const kept = planRetention(stored, policy(), NOW).filter(({ because }) => because === 'newest-drilled');

    expect(kept.map(({ id }) => id)).toEqual(expected);
  });

  test('gives one verdict on each, newest first', () => {
    const ids = planRetention([snapshot('c', { daysOld: 3 }), snapshot('a'), snapshot('b', { daysOld: 2 })], policy(), NOW).map(
      ({ id }) => id,
    );

    expect(ids).toEqual(['a', 'b', 'c']);
  });
});

const HOUR_MS = 3_600_000;
/** Times on a coarse grid, so that equal ones are common, and clocks that went wrong: revisions do not follow times. */
const hoursOld = (min: number) => fc.oneof(fc.integer({ min, max: 48 }), fc.integer({ min, max: 24 * 500 }));
const anySnapshot = (min: number) =>
  fc.record({
    lineage: fc.constantFrom('first', 'second', 'third'),
    revision: fc.integer({ min: 0, max: 30 }),
    takenAt: hoursOld(min).map((hours) => new Date(NOW.getTime() - hours * HOUR_MS)),
    trigger: fc.constantFrom('scheduled', 'scheduled', 'scheduled', 'manual', 'pre-restore', 'pre-rotation'),
    verified: fc.boolean(),
    lockedUntil: fc.option(
      fc.integer({ min: -100, max: 100 }).map((hours) => new Date(NOW.getTime() + hours * HOUR_MS)),
      { nil: undefined },
    ),
    drill: fc.option(fc.record({ kind: fc.constantFrom('restored', 'in-function', 'in-function'), passedAt: fc.constant(NOW) }), {
      nil: undefined,
      freq: 2,
    }),
  });
const anySnapshots = (min: number, prefix = 's') =>
  fc.array(anySnapshot(min), { maxLength: 40 }).map((all) =>
    all.map(({ lockedUntil, drill, ...rest }, index): StoredSnapshot => ({
      ...rest,
      id: `${prefix}${index}`,
      ...(lockedUntil && { lockedUntil }),
      ...(drill && { drill }),
    })),
  );
const past = anySnapshots(0);
const pastAndFuture = anySnapshots(-100);
const anyPolicy = fc.record({
  ...{
    hourly: fc.nat(6),
    daily: fc.nat(6),
    weekly: fc.nat(4),
    monthly: fc.nat(4),
    yearly: fc.nat(2),
    floor: fc.integer({ min: 1, max: 6 }),
  },
  ...{ preChangeDays: fc.nat(40), unverifiedDays: fc.nat(20), lineageDays: fc.nat(100) },
});
const RUNS = { numRuns: 500 };

const keptOf = (stored: readonly StoredSnapshot[], rules: RetentionPolicy, now = NOW) => {
  const gone = new Set(removed(planRetention(stored, rules, now)));
  return stored.filter(({ id }) => !gone.has(id));
};

describe('planRetention, whatever is stored', () => {
  test('planning again on what is kept removes nothing', () => {
    fc.assert(
      fc.property(pastAndFuture, anyPolicy, (stored, rules) => {
        expect(removed(planRetention(keptOf(stored, rules), rules, NOW))).toEqual([]);
      }),
      RUNS,
    );
  });

  test('removing only a part of what is rejected, as a run that was cut short, spares nothing and dooms nothing', () => {
    fc.assert(
      fc.property(past, anyPolicy, fc.infiniteStream(fc.boolean()), (stored, rules, coin) => {
        const gone = removed(planRetention(stored, rules, NOW));
        const left = stored.filter(({ id }) => !gone.includes(id) || coin.next().value === true);

        const again = new Set(removed(planRetention(left, rules, NOW)));
        expect(left.filter(({ id }) => again.has(id) && !gone.includes(id))).toEqual([]);
      }),
      RUNS,
    );
  });

  test('what is removed at one time is not kept at a later one', () => {
    fc.assert(
      fc.property(past, anyPolicy, fc.nat(24 * 400), (stored, rules, hours) => {
        const later = new Date(NOW.getTime() + hours * HOUR_MS);

        expect(removed(planRetention(stored, rules, later))).toEqual(expect.arrayContaining(removed(planRetention(stored, rules, NOW))));
      }),
      RUNS,
    );
  });

  test('the floor of verified snapshots survives, and the newest by revision and by time among them', () => {
    fc.assert(
      fc.property(past, anyPolicy, (stored, rules) => {
        const verified = stored.filter((one) => one.verified);
        const kept = keptOf(stored, rules);
        const last = verified.toSorted((a, b) => b.takenAt.getTime() - a.takenAt.getTime() || b.revision - a.revision)[0];
        const history = verified.filter(({ lineage }) => lineage === last?.lineage);
        const highest = Math.max(...history.map(({ revision }) => revision));

        expect(kept.filter((one) => one.verified).length).toBeGreaterThanOrEqual(Math.min(rules.floor, verified.length));
        expect(kept.some(({ takenAt, verified: good }) => good && takenAt.getTime() === last?.takenAt.getTime())).toBe(verified.length > 0);
        expect(kept.some((one) => history.includes(one) && one.revision === highest)).toBe(verified.length > 0);
      }),
      RUNS,
    );
  });

  test('the newest that was restored in a drill survives; where there is none, the newest that was read back', () => {
    fc.assert(
      fc.property(past, anyPolicy, (stored, rules) => {
        const restored = stored.filter(({ drill }) => drill?.kind === 'restored');
        const best = restored.length > 0 ? restored : stored.filter(({ drill }) => drill !== undefined);
        const kept = keptOf(stored, rules);
        const last = Math.max(...best.map(({ takenAt }) => takenAt.getTime()));

        expect(best.length === 0 || kept.some((one) => best.includes(one) && one.takenAt.getTime() === last)).toBe(true);
      }),
      RUNS,
    );
  });

  test('nothing is removed without a newer verified snapshot that stays', () => {
    fc.assert(
      fc.property(pastAndFuture, anyPolicy, (stored, rules) => {
        const kept = keptOf(stored, rules).filter(({ verified, takenAt }) => verified && takenAt <= NOW);
        const orphans = stored
          .filter((one) => !keptOf(stored, rules).includes(one))
          .filter(
            (one) => !kept.some((other) => (other.lineage === one.lineage ? other.revision >= one.revision : other.takenAt >= one.takenAt)),
          );

        expect(orphans).toEqual([]);
      }),
      RUNS,
    );
  });

  test('snapshots from the future change no verdict on others and are kept (peer failure 43)', () => {
    const ahead = anySnapshots(-24 * 400, 'future').map((all) => all.filter(({ takenAt }) => takenAt > NOW));
    fc.assert(
      fc.property(past, ahead, anyPolicy, (stored, future, rules) => {
        expect(removed(planRetention([...stored, ...future], rules, NOW))).toEqual(removed(planRetention(stored, rules, NOW)));
      }),
      RUNS,
    );
  });

  test('the order of the listing does not matter, not even among equal times and revisions (peer failure 14)', () => {
    const shuffled = pastAndFuture.chain((stored) =>
      fc.tuple(fc.constant(stored), fc.shuffledSubarray(stored, { minLength: stored.length })),
    );
    fc.assert(
      fc.property(shuffled, anyPolicy, ([stored, other], rules) => {
        expect(planRetention(other, rules, NOW)).toEqual(planRetention(stored, rules, NOW));
      }),
      RUNS,
    );
  });

  test('what is locked is never removed (peer failure 29)', () => {
    fc.assert(
      fc.property(past, anyPolicy, (stored, rules) => {
        const locked = stored.filter(({ lockedUntil }) => lockedUntil !== undefined && lockedUntil > NOW);

        expect(keptOf(stored, rules)).toEqual(expect.arrayContaining(locked));
      }),
      RUNS,
    );
  });

  test('pruning every few hours leaves the same as pruning once at the end', () => {
    const history = fc.uniqueArray(fc.integer({ min: 0, max: 24 * 60 }), { minLength: 1, maxLength: 60 });
    const rules = fc.record({
      ...{
        hourly: fc.nat(6),
        daily: fc.nat(6),
        weekly: fc.nat(4),
        monthly: fc.nat(2),
        yearly: fc.nat(1),
        floor: fc.integer({ min: 1, max: 4 }),
      },
    });
    fc.assert(
      fc.property(history, rules, (hours, counts) => {
        const all = hours.toSorted((a, b) => b - a).map((old) => snapshot(`s${old}`, { takenAt: new Date(NOW.getTime() - old * HOUR_MS) }));
        let stored: StoredSnapshot[] = [];
        for (const next of all) stored = keptOf([...stored, next], policy(counts), next.takenAt);

        expect(keptOf(stored, policy(counts)).map(({ id }) => id)).toEqual(keptOf(all, policy(counts)).map(({ id }) => id));
      }),
      RUNS,
    );
  });
});
