import { z } from 'zod';
import { jsonOf, wrongFields } from '../contract/json';
import { Ledger, Lineage, RestoreRecord, VerifiedMark } from '../contract/ledger';
import type { Manifest } from '../contract/manifest';
import { EMPTY_LEDGER, lineageOf, merge } from './merge-ledgers';
import { REFRESH_MS, measure } from './write-rate';

export { EMPTY_LEDGER, lineageOf, merge } from './merge-ledgers';

/** What one poll saw of the lineage that the members belong to. */
export interface Observation {
  readonly lineage: string;
  /** The highest of all members that answered. */
  readonly revision: number;
  /** When the poll began: nothing that was served before it is missing from `revision`. */
  readonly at: Date;
  /** Whether it comes from a member that knows a leader: one without may sit apart while the others go on. */
  readonly led: boolean;
}

/**
 * The ledger after one more poll; the same ledger when there is nothing worth writing.
 *
 * The time of the last sight is refreshed every `REFRESH_MS` while the revision stands still. `bumpFor` counts from the written time, which
 * is only ever older, so that saves writes and costs nothing. A written time that is far ahead of this poll's clock gives way to it.
 */
export function raise(ledger: Ledger, observation: Observation): Ledger {
  const { lineage: id, revision, at, led } = observation;
  const known = lineageOf(ledger, id);
  const higher = known === undefined || revision > known.revision;
  if (!higher && !(led && revision === known.revision && isFar(known.lastSeenAt, at))) return ledger;
  const time = at.toISOString();
  const seen = led ? { lastSeenAt: lastSight(known?.lastSeenAt, at), rate: measure(known?.rate, observation) } : {};
  const lineage: Lineage = {
    ...(known ?? { firstSeenAt: time }),
    ...(higher ? { revision, raisedAt: time } : { revision: known.revision, raisedAt: known.raisedAt }),
    ...seen,
  };
  return merge(EMPTY_LEDGER, { ...ledger, lineages: { ...ledger.lineages, [id]: lineage } });
}

const isFar = (last: string | undefined, at: Date): boolean =>
  last === undefined || Math.abs(at.getTime() - Date.parse(last)) >= REFRESH_MS;

/** Polls that end out of order must not set the time back; a clock that ran ahead must not leave its mark for ever. */
const lastSight = (last: string | undefined, at: Date): string =>
  last !== undefined && Date.parse(last) > at.getTime() && !isFar(last, at) ? last : at.toISOString();

/** What a manifest tells a ledger. */
export type Witness = Pick<Manifest, 'id' | 'lineage' | 'revision' | 'takenAt' | 'verified'>;

/** What the snapshots alone know: no rates and no restores, but how far every lineage came of which one is left. */
export function rebuild(manifests: readonly Witness[]): Ledger {
  return manifests.map(ledgerOf).reduce(merge, EMPTY_LEDGER);
}

/** `takenAt` is the start of the run, before the file's revision was fixed. Unverified, it may come from a member that sat apart. */
function ledgerOf({ id, lineage, revision, takenAt, verified }: Witness): Ledger {
  const seen = { revision, raisedAt: takenAt, firstSeenAt: takenAt, ...(verified && { lastSeenAt: takenAt }) };
  const newestVerified = verified ? { newestVerified: { id, takenAt, revision, lineage } } : {};
  return { ...EMPTY_LEDGER, ceiling: revision, lineages: { [lineage]: seen }, ...newestVerified };
}

/**
 * Notes a restore. To be written before the restored etcd is started: from its first second it serves revisions that no poll has seen.
 * Noted again with `newLineage` once it has answered, the record is completed.
 */
export const recordRestore = (ledger: Ledger, record: RestoreRecord): Ledger =>
  merge(ledger, { ...EMPTY_LEDGER, ceiling: record.bumpedTo, restores: [record] });

declare const withManifests: unique symbol;
/** A ledger into which the manifests of the bucket were merged: what a bump must be computed from, since a ledger may be an old copy. */
export type MergedLedger = Ledger & { readonly [withManifests]: true };

export const mergeManifests = (ledger: Ledger, manifests: readonly Witness[]): MergedLedger =>
  merge(ledger, rebuild(manifests)) as MergedLedger;

/** Seconds since the newest verified snapshot was taken; undefined when there is none, or one that only a clock gone wrong can have dated. */
export function verifiedSnapshotAge({ newestVerified }: Ledger, now: Date): number | undefined {
  if (newestVerified === undefined) return undefined;
  const age = now.getTime() - Date.parse(newestVerified.takenAt);
  return age < -REFRESH_MS ? undefined : Math.max(0, age / 1000);
}

export type LedgerReading =
  | { readonly state: 'missing' | 'fine'; readonly ledger: Ledger }
  /** `ledger` is what could be saved. */
  | { readonly state: 'damaged'; readonly ledger: Ledger; readonly because: string };

/** Reads the text of `ledger.json`. Of a damaged one every entry that parses still counts: each can only raise what is known. */
export function readLedger(text: string | undefined): LedgerReading {
  if (text === undefined) return { state: 'missing', ledger: EMPTY_LEDGER };
  const value = jsonOf(text);
  const parsed = Ledger.safeParse(value);
  if (parsed.success) return { state: 'fine', ledger: merge(EMPTY_LEDGER, parsed.data) };
  return { state: 'damaged', ledger: salvage(value), because: `the ledger does not parse: ${wrongFields(parsed.error)}` };
}

export const ledgerText = (ledger: Ledger): string => JSON.stringify(ledger, undefined, 1);

function salvage(value: unknown): Ledger {
  const parts = Loose.safeParse(value).data;
  if (parts === undefined) return EMPTY_LEDGER;
  const ceiling = Ledger.shape.ceiling.safeParse(parts.ceiling).data ?? 0;
  const newestVerified = VerifiedMark.safeParse(parts.newestVerified).data;
  const lineages = Object.entries(parts.lineages ?? {}).flatMap(([id, entry]) => {
    const lineage = Lineage.safeParse(entry).data;
    return lineage === undefined || id === '' ? [] : [[id, lineage] as const];
  });
  const restores = (parts.restores ?? []).flatMap((entry) => RestoreRecord.safeParse(entry).data ?? []);
  const saved = { ...EMPTY_LEDGER, ceiling, lineages: Object.fromEntries(lineages), restores, ...(newestVerified && { newestVerified }) };
  return merge(EMPTY_LEDGER, saved);
}

const Loose = z.object({
  ceiling: z.unknown().optional(),
  lineages: z.record(z.string(), z.unknown()).optional().catch(undefined),
  restores: z.array(z.unknown()).optional().catch(undefined),
  newestVerified: z.unknown().optional(),
});
