import type { AddressType, WrittenRecord } from '../contract/api-record';
import { normalName } from './record-name';

/** A record set as the zone has it. */
export interface RecordSet {
  readonly name: string;
  readonly type: string;
  /** Missing for an alias. */
  readonly ttl?: number;
  readonly values: readonly string[];
  readonly alias?: AliasTarget;
  /** Of weighted, latency, failover, geolocation, multivalue … records, of which a name may have many. */
  readonly setIdentifier?: string;
}

export interface AliasTarget {
  readonly dnsName: string;
  readonly zoneId: string;
  readonly evaluateTargetHealth: boolean;
}

export interface RecordChange {
  readonly action: 'UPSERT' | 'DELETE';
  readonly record: RecordSet;
}

/** What the record should lead to. */
export type Desired =
  | { readonly kind: 'alias'; readonly dnsName: string; readonly zoneId: string; readonly dualstack: boolean }
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] };

/** Seconds that a resolver may keep an address. An alias to a balancer always has 60. */
export const TTL_SECONDS = 30;

export const isAddress = ({ type }: Pick<RecordSet, 'type'>): boolean => type === 'A' || type === 'AAAA';

/** Whether it says where its name leads: by addresses, or by another name. */
export const isLead = (record: Pick<RecordSet, 'type'>): boolean => isAddress(record) || record.type === 'CNAME';

export function wantedRecords(desired: Desired, name: string): RecordSet[] {
  if (desired.kind === 'alias') {
    const alias = { dnsName: normalName(desired.dnsName), zoneId: desired.zoneId, evaluateTargetHealth: true };
    return (desired.dualstack ? ['A', 'AAAA'] : ['A']).map((type) => ({ name, type, values: [], alias }));
  }
  const ofType = (type: AddressType): RecordSet[] => {
    const values = [...new Set(desired.addresses.filter((address) => address.includes(':') === (type === 'AAAA')))].sort();
    return values.length === 0 ? [] : [{ name, type, ttl: TTL_SECONDS, values }];
  };
  return [...ofType('A'), ...ofType('AAAA')];
}

export function sameRecord(one: RecordSet, other: RecordSet): boolean {
  if (one.type !== other.type || one.setIdentifier !== undefined) return false;
  if (one.alias !== undefined || other.alias !== undefined)
    return (
      one.alias !== undefined &&
      other.alias !== undefined &&
      plainAlias(one.alias.dnsName) === plainAlias(other.alias.dnsName) &&
      one.alias.zoneId === other.alias.zoneId &&
      one.alias.evaluateTargetHealth === other.alias.evaluateTargetHealth
    );
  return one.ttl === other.ttl && sameValues(one.values, other.values);
}

/** The console puts `dualstack.` before the name of a balancer; it leads to the same one. */
const plainAlias = (name: string): string => normalName(name).replace(/^dualstack\./, '');
const sameValues = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && [...some].sort().join() === [...others].sort().join();

/** A record in the words in which the lifeboat remembers what it wrote. */
export const writtenOf = (records: readonly RecordSet[]): WrittenRecord[] =>
  records.filter(isAddress).map(({ type, values, alias, ttl }) => ({
    type: type as AddressType,
    values: alias === undefined ? [...values].sort() : [plainAlias(alias.dnsName)],
    alias: alias !== undefined,
    ...(ttl !== undefined && { ttl }),
  }));

/** Whether a record is what was written. A TTL is compared only where one was remembered; an alias was always written to ask for health. */
export function isAsWritten(record: RecordSet, written: readonly WrittenRecord[]): boolean {
  const before = written.find(({ type }) => type === record.type);
  const [now] = writtenOf([record]);
  return (
    before !== undefined &&
    now !== undefined &&
    before.alias === now.alias &&
    sameValues(before.values, now.values) &&
    (before.ttl ?? now.ttl) === now.ttl &&
    record.alias?.evaluateTargetHealth !== false
  );
}

/** Whether clients would be led to something that they are not led to now. */
export function leadsElsewhere(addresses: readonly RecordSet[], wanted: readonly RecordSet[]): boolean {
  const values = (records: readonly RecordSet[]) => writtenOf(records).flatMap((record) => record.values);
  const now = new Set(values(addresses));
  return values(wanted).some((value) => !now.has(value));
}

/** In words. */
export const describe = (records: readonly RecordSet[]): string => words(records, () => '');

/** From what to what; how long an address may be kept, and whether health is asked for, only where nothing else differs. */
export function describeChange(before: readonly RecordSet[], after: readonly RecordSet[]): string {
  const plain = [describe(before), describe(after)];
  const shown = plain[0] === plain[1] ? [words(before, manner), words(after, manner)] : plain;
  return shown.join(' → ');
}

const manner = ({ ttl, alias }: RecordSet): string =>
  alias === undefined ? ` for ${ttl ?? 0} s` : ` ${alias.evaluateTargetHealth ? 'while healthy' : 'healthy or not'} (${alias.zoneId})`;

const words = (records: readonly RecordSet[], more: (record: RecordSet) => string): string =>
  records.length === 0
    ? 'nothing'
    : [...records]
        .sort((one, other) => (one.type < other.type ? -1 : 1))
        .map((record) => {
          const { type, values, alias } = record;
          return `${type} ${alias === undefined ? [...values].sort().join(', ') : plainAlias(alias.dnsName)}${more(record)}`;
        })
        .join('; ');
