import { LEAST_SLACK, bumpFor } from '../../lambdas/backup/bump';
import { recordRestore } from '../../lambdas/backup/ledger';
import type { MergedLedger } from '../../lambdas/backup/ledger';
import type { Lineage } from '../../lambdas/contract/ledger';
import { ID, lineage, merged, minutesBefore, witness } from './ledgers';
import { NOW } from './snapshots';

const HOUR = 60;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
/** 1500 a second, as etcd's documentation reckons. */
const RULE = 90_000;

describe('bumpFor', () => {
  test.each<[sentence: string, a1: Partial<Lineage>, slack: number]>([
    ['by 1500 a second since the last sight, though less was measured', { lastSeenAt: minutesBefore(100) }, LEAST_SLACK + 100 * RULE],
    ['by the least when it was seen just now', { lastSeenAt: minutesBefore(0) }, LEAST_SLACK],
    ['by 1500 a second when nothing was measured', { lastSeenAt: minutesBefore(HOUR), rate: undefined }, LEAST_SLACK + HOUR * RULE],
    [
      'by twice the busiest minute when that is more',
      { lastSeenAt: minutesBefore(HOUR), rate: { ...lineage().rate!, peak: RULE } },
      LEAST_SLACK + HOUR * 2 * RULE,
    ],
    [
      'by no more than any etcd can write, since a larger rise was a bump',
      { lastSeenAt: minutesBefore(HOUR), rate: { ...lineage().rate!, peak: 10 ** 12 } },
      LEAST_SLACK + HOUR * 6_000_000,
    ],
    ['by a week of 1500 a second when it was seen in the future', { lastSeenAt: minutesBefore(-HOUR) }, LEAST_SLACK + WEEK * RULE],
    ['by the least when clocks differ a little', { lastSeenAt: minutesBefore(-5) }, LEAST_SLACK],
    ['by a week of 1500 a second when no member with a leader was ever seen', { lastSeenAt: undefined }, LEAST_SLACK + WEEK * RULE],
    [
      'by a week of more when it is known to write more',
      { lastSeenAt: undefined, rate: { ...lineage().rate!, peak: RULE } },
      LEAST_SLACK + WEEK * 2 * RULE,
    ],
  ])('widens %s', (_sentence, overrides, slack) => {
    const bump = bumpFor(merged({ lineages: { a1: lineage(overrides) } }), witness(), NOW);

    expect(bump).toEqual({
      bump: 1_000 + slack - 900,
      servedUpTo: 1_000,
      slack,
      bumpedTo: 1_000 + slack,
      because: expect.any(String) as string,
    });
  });

  test('says which part of the history decides, and how it was reckoned', () => {
    const { because } = bumpFor(merged({ lineages: { a1: lineage({ lastSeenAt: minutesBefore(100) }) } }), witness(), NOW);

    expect(because).toBe("lineage a1 was at 1000 100 minutes ago, and may write 90000 a minute (etcd's rule of thumb)");
  });

  test('counts from the furthest lineage, not from that of the snapshot', () => {
    const lineages = { a1: lineage(), b2: lineage({ revision: 50_000, lastSeenAt: minutesBefore(10) }) };

    expect(bumpFor(merged({ lineages }), witness(), NOW)).toMatchObject({ servedUpTo: 50_000, slack: LEAST_SLACK + 10 * RULE });
  });

  test('an older lineage that may have gone on for long counts further than one that was seen higher', () => {
    const lineages = { a1: lineage({ lastSeenAt: minutesBefore(DAY), rate: undefined }), b2: lineage({ revision: 50_000 }) };

    const { servedUpTo, slack } = bumpFor(merged({ lineages }), witness(), NOW);

    expect(servedUpTo).toBe(50_000);
    expect(servedUpTo + slack).toBe(1_000 + LEAST_SLACK + DAY * RULE);
  });

  test('without any ledger it counts from the snapshot itself', () => {
    expect(bumpFor(merged(), witness(), NOW)).toMatchObject({ servedUpTo: 900, slack: LEAST_SLACK + 30 * RULE });
  });

  test('never relies on the newest entry of a file that was compacted at its very revision, since etcdutl adds to what is left (peer failure 9)', () => {
    const { bump, bumpedTo } = bumpFor(merged(), witness({ compactRevision: 900, takenAt: minutesBefore(0) }), NOW);

    expect(bump).toBe(900 + LEAST_SLACK);
    expect(bumpedTo).toBe(900 + bump);
  });

  test('a second and a third restore of the same snapshot land above the first, polled or not: no counter that a restore resets takes part', () => {
    let known: MergedLedger = merged({ lineages: { a1: lineage() } });
    const landed: number[] = [1_000];
    for (const minutes of [0, -1, -2]) {
      const now = new Date(minutesBefore(minutes));
      const bump = bumpFor(known, witness(), now);
      landed.push(900 + bump.bump);
      known = recordRestore(known, { at: now.toISOString(), snapshot: ID, fromLineage: 'a1', bumpedTo: bump.bumpedTo }) as MergedLedger;
    }

    expect(landed).toEqual(landed.toSorted((a, b) => a - b));
    expect(new Set(landed).size).toBe(4);
  });

  test('a restore whose new lineage nobody has seen yet may have served at 1500 a second since', () => {
    const restores = [{ at: minutesBefore(HOUR), snapshot: ID, fromLineage: 'a1', bumpedTo: 80_000 }];
    const unseen = bumpFor(merged({ lineages: { a1: lineage() }, restores }), witness(), NOW);
    const known = { newLineage: 'b2', ...restores[0]! };
    const seen = bumpFor(merged({ lineages: { a1: lineage(), b2: lineage({ revision: 80_010 }) }, restores: [known] }), witness(), NOW);

    expect(unseen).toMatchObject({ servedUpTo: 80_000, slack: LEAST_SLACK + HOUR * RULE });
    expect(seen).toMatchObject({ servedUpTo: 80_010, slack: LEAST_SLACK + RULE });
  });

  test('refuses a ledger that no etcd can have come to, and names the number', () => {
    const impossible = merged({ ceiling: Number.MAX_SAFE_INTEGER - 10 });

    expect(() => bumpFor(impossible, witness(), NOW)).toThrow(
      expect.objectContaining({
        name: 'RevisionsExhausted',
        message: expect.stringMatching(/revision 9007199254740981 was served.*correct ledger\.json/) as string,
      }) as Error,
    );
  });

  test('is an exact number up to there', () => {
    const ceiling = Number.MAX_SAFE_INTEGER - LEAST_SLACK - 900;
    const { bumpedTo } = bumpFor(merged({ ceiling }), witness({ compactRevision: 900 }), NOW);

    expect(bumpedTo).toBe(Number.MAX_SAFE_INTEGER);
  });
});
