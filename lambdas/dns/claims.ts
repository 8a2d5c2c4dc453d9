import type { AddressType, WrittenRecord } from '../contract/api-record';
import { heritageOf, heritageText, isSealed, ownerOf } from './ownership';
import { heritageNames, normalName, ownershipName, sameName } from './record-name';
import { isAddress, isAsWritten } from './record-set';
import type { RecordSet } from './record-set';

/** The name and what is around it in the zone. */
export interface AtName {
  readonly cluster: string;
  readonly name: string;
  readonly zoneName: string;
  /** All types at the name itself. */
  readonly all: readonly RecordSet[];
  readonly addresses: readonly RecordSet[];
  /** TXT at every name in which ownership may be noted. */
  readonly texts: readonly RecordSet[];
  /** What the lifeboat wrote last, as long as it remembers. */
  readonly written: readonly WrittenRecord[];
}

/** @param records of the name itself and of every name in which ownership may be noted; others are passed over */
export function atName(
  zone: { readonly name: string; readonly records: readonly RecordSet[] },
  { name, cluster }: { readonly name: string; readonly cluster: string },
  written: readonly WrittenRecord[] = [],
): AtName {
  const all = zone.records.filter((record) => sameName(record.name, name));
  const heritage = heritageNames(name);
  const texts = zone.records.filter((record) => record.type === 'TXT' && heritage.includes(normalName(record.name)));
  return { cluster, name, zoneName: zone.name, all, addresses: all.filter(isAddress), texts, written };
}

export type Claim =
  { readonly kind: 'ours' | 'free' | 'nobody' } | { readonly kind: 'foreign'; readonly owner: string; readonly where: string };

/**
 * Whose the name is. Any claim of another counts, also one that lost its record: somebody may be about to write it. A record that is what the
 * lifeboat wrote last is its own, also when somebody took the note of it away.
 */
export function claimOn(at: AtName): Claim {
  const foreign = at.texts.flatMap((record) => foreignIn(at, record).map((owner) => ({ owner, where: normalName(record.name) })));
  if (foreign[0] !== undefined) return { kind: 'foreign', ...foreign[0] };
  if (isNoted(at, 'A')) return { kind: 'ours' };
  if (at.addresses.length === 0) return { kind: 'free' };
  return at.addresses.every((record) => isOurs(at, record)) ? { kind: 'ours' } : { kind: 'nobody' };
}

/** Whether one record of the name is the lifeboat's: by the note of its own type, or by what was written. */
export const isOurs = (at: AtName, record: RecordSet): boolean =>
  isNoted(at, record.type as AddressType) || isAsWritten(record, at.written);

function isNoted(at: AtName, type: AddressType): boolean {
  const own = ownershipName(at.name, type, at.zoneName);
  return at.texts.some(
    ({ name, values }) => sameName(name, own) && values.some((value) => heritageOf(value)?.owner === ownerOf(at.cluster)),
  );
}

/** The owners that claim the name in one set of texts, other than the lifeboat; empty for one that cannot be read. */
function foreignIn(at: AtName, { name, values }: RecordSet): string[] {
  return values.flatMap((value) => {
    const heritage = heritageOf(value);
    if (heritage !== undefined) return heritage.owner === ownerOf(at.cluster) ? [] : [heritage.owner];
    // Only claims lie in the names that are made for them; in the name itself anything may.
    return isSealed(value) && !sameName(name, at.name) ? [''] : [];
  });
}

/**
 * The texts that say whose the records of these types are, as far as they are not there already. What others have put beside one stays. The claim of
 * another, which is there only on a name that is being adopted, becomes ours where it stands: a set of texts is never deleted.
 */
export function missingNotes(at: AtName, types: readonly AddressType[]): RecordSet[] {
  const own = [...new Set(types.map((type) => ownershipName(at.name, type, at.zoneName)))];
  const fresh = own.filter((name) => !at.texts.some((record) => sameName(record.name, name)));
  return [
    ...fresh.map((name) => ({ name, type: 'TXT', ttl: NOTE_TTL_SECONDS, values: [heritageText(at.cluster)] })),
    ...at.texts.flatMap((record) => {
      const wanted = own.some((name) => sameName(record.name, name)) || foreignIn(at, record).length > 0;
      const values = [heritageText(at.cluster), ...record.values.filter((value) => !isClaim(at, record.name, value))];
      const same = values.length === record.values.length && values.every((value) => record.values.includes(value));
      return wanted && !same ? [{ ...record, values }] : [];
    }),
  ];
}

const NOTE_TTL_SECONDS = 300;

const isClaim = (at: AtName, name: string, value: string): boolean =>
  heritageOf(value) !== undefined || (isSealed(value) && !sameName(name, at.name));
