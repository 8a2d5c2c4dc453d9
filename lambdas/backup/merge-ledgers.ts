import { MOST_RESTORES } from '../contract/ledger';
import type { Ledger, Lineage, RestoreRecord, VerifiedMark, WriteRate } from '../contract/ledger';

export const EMPTY_LEDGER: Ledger = { version: 1, ceiling: 0, lineages: {}, restores: [] };

type Order<T> = (a: T, b: T) => number;

const NEVER = new Date(0).toISOString();

/** A total order on times: the same moment may be spelled in two ways. */
const byTime: Order<string> = (a, b) => Date.parse(a) - Date.parse(b) || compare(a, b);

/**
 * What two ledgers know together: the highest of every revision with what is known of it, so that none is ever lowered. Commutative,
 * associative and idempotent: it does not matter which of two copies is the older, or how often one is merged in.
 *
 * @returns in one fixed order, so that equal knowledge is equal text
 */
export function merge(a: Ledger, b: Ledger): Ledger {
  const ids = [...new Set([...Object.keys(a.lineages), ...Object.keys(b.lineages)])].sort();
  const lineages = ids.flatMap((id) => {
    const lineage = both(lineageOf(a, id), lineageOf(b, id), mergeLineages);
    return lineage === undefined ? [] : [[id, lineage] as const];
  });
  const restores = mergeRestores(a.restores, b.restores);
  const newestVerified = both(a.newestVerified, b.newestVerified, later(byVerified));
  const known = [...lineages.map(([, { revision }]) => revision), ...restores.map(({ bumpedTo }) => bumpedTo)];
  return {
    version: 1,
    ceiling: Math.max(a.ceiling, b.ceiling, ...known, newestVerified?.revision ?? 0),
    lineages: Object.fromEntries(lineages),
    restores,
    ...(newestVerified && { newestVerified }),
  };
}

export const lineageOf = ({ lineages }: Ledger, id: string): Lineage | undefined =>
  Object.hasOwn(lineages, id) ? lineages[id] : undefined;

/**
 * The later sight of the higher revision. A later sight of a lower one is none of this: it shows that revisions fell in between, and not how
 * far they had come before.
 */
function mergeLineages(a: Lineage, b: Lineage): Lineage {
  const higher = later<Lineage>((x, y) => x.revision - y.revision || byTime(x.lastSeenAt ?? NEVER, y.lastSeenAt ?? NEVER))(a, b);
  const { revision, lastSeenAt } = higher;
  const rate = both(a.rate, b.rate, mergeRates);
  const raised = [a, b].filter((one) => one.revision === revision).map(({ raisedAt }) => raisedAt);
  return {
    revision,
    raisedAt: raised.reduce(earlier(byTime)),
    firstSeenAt: earlier(byTime)(a.firstSeenAt, b.firstSeenAt),
    ...(lastSeenAt !== undefined && { lastSeenAt }),
    ...(rate && { rate }),
  };
}

function mergeRates(a: WriteRate, b: WriteRate): WriteRate {
  const last = later<WriteRate>((x, y) => byTime(x.at, y.at) || x.revision - y.revision || (x.recent ?? -1) - (y.recent ?? -1))(a, b);
  const peak = both(a.peak, b.peak, Math.max);
  return {
    at: last.at,
    revision: last.revision,
    ...(last.recent !== undefined && { recent: last.recent }),
    ...(peak !== undefined && { peak }),
  };
}

/** The newest of both, each once. Those that fall off are lower than `ceiling`. */
function mergeRestores(a: readonly RestoreRecord[], b: readonly RestoreRecord[]): RestoreRecord[] {
  const merged = new Map<string, RestoreRecord>();
  for (const record of [...a, ...b]) {
    const key = JSON.stringify([record.at, record.snapshot, record.fromLineage, record.bumpedTo]);
    const { at, snapshot, fromLineage, bumpedTo } = record;
    const newLineage = both(merged.get(key)?.newLineage, record.newLineage, later(compare));
    merged.set(key, { at, snapshot, fromLineage, bumpedTo, ...(newLineage !== undefined && { newLineage }) });
  }
  const newestFirst: Order<RestoreRecord> = (x, y) =>
    byTime(y.at, x.at) || y.bumpedTo - x.bumpedTo || compare(y.snapshot, x.snapshot) || compare(y.fromLineage, x.fromLineage);
  return [...merged.values()].sort(newestFirst).slice(0, MOST_RESTORES);
}

const byVerified: Order<VerifiedMark> = (a, b) =>
  byTime(a.takenAt, b.takenAt) || a.revision - b.revision || compare(a.id, b.id) || compare(a.lineage, b.lineage);

function both<T>(a: T | undefined, b: T | undefined, join: (a: T, b: T) => T): T | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return join(a, b);
}

const later =
  <T>(order: Order<T>) =>
  (a: T, b: T): T =>
    order(a, b) >= 0 ? a : b;
const earlier =
  <T>(order: Order<T>) =>
  (a: T, b: T): T =>
    order(a, b) <= 0 ? a : b;
const compare: Order<string> = (a, b) => (a < b ? -1 : Number(a > b));
