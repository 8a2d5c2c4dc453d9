import fc from 'fast-check';
import { merge, EMPTY_LEDGER } from '../../lambdas/backup/ledger';
import type { MergedLedger, Witness } from '../../lambdas/backup/ledger';
import type { Ledger, Lineage } from '../../lambdas/contract/ledger';
import { NOW } from './snapshots';

export const minutesBefore = (minutes: number, now = NOW): string => new Date(now.getTime() - minutes * 60_000).toISOString();

/** A lineage that was seen a minute ago. */
export const lineage = (overrides: Partial<Lineage> = {}): Lineage => ({
  revision: 1_000,
  raisedAt: minutesBefore(1),
  firstSeenAt: minutesBefore(2 * 24 * 60),
  lastSeenAt: minutesBefore(1),
  rate: { at: minutesBefore(1), revision: 1_000, recent: 10, peak: 60 },
  ...overrides,
});

export const ledger = (overrides: Partial<Ledger> = {}): Ledger => merge(EMPTY_LEDGER, { ...EMPTY_LEDGER, ...overrides });

/** As if its manifests had been merged in: there are none. */
export const merged = (overrides: Partial<Ledger> = {}): MergedLedger => ledger(overrides) as MergedLedger;

export const ID = '20261116T120000Z-00000001';

export const witness = (overrides: Partial<Witness & { compactRevision: number }> = {}): Witness & { compactRevision: number } => ({
  id: ID,
  lineage: 'a1',
  revision: 900,
  compactRevision: 100,
  takenAt: minutesBefore(30),
  verified: true,
  ...overrides,
});

/** Few values, so that equal ones are common; the same moment in two spellings too. */
const time = fc.oneof(
  fc.integer({ min: 0, max: 4 }).map((n) => minutesBefore(n)),
  fc.integer({ min: 0, max: 4 }).map((n) => minutesBefore(n).replace('.000Z', 'Z')),
);
const few = fc.integer({ min: 0, max: 3 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const rate = fc
  .record({ at: time, revision: few, recent: maybe(few), peak: maybe(few) })
  .map(({ recent, peak, ...rest }) => ({ ...rest, ...(recent !== undefined && { recent }), ...(peak !== undefined && { peak }) }));
const anyLineage = fc
  .record({ revision: few, raisedAt: time, firstSeenAt: time, lastSeenAt: maybe(time), rate: maybe(rate) })
  .map(({ lastSeenAt, rate: measured, ...rest }) => ({ ...rest, ...(lastSeenAt && { lastSeenAt }), ...(measured && { rate: measured }) }));
const anyRestore = fc
  .record({
    at: time,
    snapshot: fc.constantFrom('x', 'y'),
    fromLineage: fc.constant('a1'),
    bumpedTo: few,
    newLineage: maybe(fc.constantFrom('b2', 'c3')),
  })
  .map(({ newLineage, ...rest }) => ({ ...rest, ...(newLineage && { newLineage }) }));
const anyMark = fc.record({
  id: fc.constantFrom(ID, '20261116T120000Z-00000002'),
  takenAt: time,
  revision: few,
  lineage: fc.constantFrom('a1', 'b2'),
});

export const anyLedger: fc.Arbitrary<Ledger> = fc
  .record({
    ceiling: few,
    lineages: fc.dictionary(fc.constantFrom('a1', 'b2', 'constructor'), anyLineage),
    restores: fc.array(anyRestore, { maxLength: 30 }),
    newestVerified: maybe(anyMark),
  })
  .map(({ newestVerified, ...rest }) => ledger({ ...rest, ...(newestVerified && { newestVerified }) }));
