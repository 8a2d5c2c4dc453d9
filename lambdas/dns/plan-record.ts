import type { AddressType, WrittenRecord } from '../contract/api-record';
import { heritageOf, heritageText, ownerOf } from './ownership';
import { heritageNames, isWithin, normalName, ownershipName, sameName } from './record-name';

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

/** What is in the zone at the name, and where its ownership may be noted. */
export interface CurrentZone {
  readonly name: string;
  readonly visibility: 'public' | 'private';
  readonly records: readonly RecordSet[];
}

/** What the record should lead to. */
export type Desired =
  | { readonly kind: 'alias'; readonly dnsName: string; readonly zoneId: string; readonly dualstack: boolean }
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] };

export interface Evidence {
  /** Places behind the target that answered in this round. */
  readonly answering: number;
  /** Those whose certificate does not carry the name: `host:port`. */
  readonly withoutName: readonly string[];
  /** Whoever holds the cluster's lock now. */
  readonly lockedBy?: string;
  /** What the lifeboat wrote last, as long as it remembers. */
  readonly written?: readonly WrittenRecord[];
}

export interface Policy {
  readonly cluster: string;
  readonly name: string;
  readonly visibility: 'public' | 'private';
  readonly adopt: boolean;
  /** The holder of the lock for whom this is done. */
  readonly onBehalfOf?: string;
}

export type Because =
  | 'as-desired'
  | 'missing'
  | 'drifted'
  | 'target-changed'
  | 'ownership-missing'
  | 'adopted'
  | 'outside-the-zone'
  | 'other-visibility'
  | 'foreign-owner'
  | 'not-ours'
  | 'conflicting-record'
  | 'nothing-answers'
  | 'name-not-in-certificate'
  | 'locked';

export interface RecordChange {
  readonly action: 'UPSERT' | 'DELETE';
  readonly record: RecordSet;
}

/** `hold`: it will pass by itself. `refuse`: somebody must decide. */
export interface RecordPlan {
  readonly action: 'none' | 'write' | 'hold' | 'refuse';
  readonly because: Because;
  readonly message: string;
  /** One batch; empty unless the action is `write`. */
  readonly changes: readonly RecordChange[];
  /** Whether the record is something else than the lifeboat wrote last. */
  readonly drifted: boolean;
}

/** Seconds that a resolver may keep an address. An alias to a balancer always has 60. */
export const TTL_SECONDS = 30;

/**
 * What to write, if anything: one batch that never deletes the name's last address and never touches what somebody else owns.
 *
 * The guards come in the order in which somebody would have to mend them.
 */
export function planApiRecord(zone: CurrentZone, desired: Desired, evidence: Evidence, policy: Policy): RecordPlan {
  const at = atName(zone, policy);
  const wanted = wantedRecords(desired, policy.name);
  const drifted = hasDrifted(at.addresses, evidence.written);
  const stop = (action: 'hold' | 'refuse', because: Because, message: string): RecordPlan => ({
    ...{ action, because, message, drifted },
    changes: [],
  });

  if (!isWithin(policy.name, zone.name))
    return stop(
      'refuse',
      'outside-the-zone',
      `${policy.name} is not in the zone ${normalName(zone.name)}: give the zoneId of one that it is in`,
    );
  if (zone.visibility !== policy.visibility)
    return stop(
      'refuse',
      'other-visibility',
      `the zone ${normalName(zone.name)} is ${zone.visibility}, and api.visibility is ${policy.visibility}: zones of one name are easily mixed up`,
    );
  const conflict = conflictAt(at.all);
  if (conflict !== undefined) return stop('refuse', 'conflicting-record', conflict);
  const claim = claimOn(at, evidence.written, policy);
  if (claim.kind === 'foreign' && !policy.adopt)
    return stop('refuse', 'foreign-owner', `${policy.name} belongs to ${claim.owner || 'somebody'} (${claim.where}): ${ADOPTING}`);
  if (claim.kind === 'nobody' && !policy.adopt)
    return stop(
      'refuse',
      'not-ours',
      `${policy.name} leads to ${describe(at.addresses)} already, and nobody has noted that it is the lifeboat's: ${ADOPTING}`,
    );

  if (wanted.length === 0) return stop('hold', 'nothing-answers', `nothing is known that answers: ${policy.name} stays as it is`);
  const changes = changesFor(at, wanted, policy);
  if (changes.length === 0)
    return { action: 'none', because: 'as-desired', message: `${policy.name} leads to ${describe(at.addresses)}`, changes, drifted };
  const because = reasonFor(at, changes, claim, drifted);
  if (evidence.answering === 0 && because !== 'ownership-missing')
    return stop('hold', 'nothing-answers', `nothing behind ${describe(wanted)} answers: ${policy.name} stays as it is`);
  if (evidence.withoutName.length > 0 && leadsElsewhere(at.addresses, wanted))
    return stop(
      'hold',
      'name-not-in-certificate',
      `the certificates at ${evidence.withoutName.join(', ')} do not carry ${policy.name}: clients would refuse them; rotate the certificates first`,
    );
  if (evidence.lockedBy !== undefined && evidence.lockedBy !== policy.onBehalfOf)
    return stop('hold', 'locked', `${evidence.lockedBy} works on the control plane: ${policy.name} follows when it has ended`);
  return { action: 'write', because, message: `${describe(at.addresses)} → ${describe(wanted)}`, changes, drifted };
}

const ADOPTING = 'see that nothing else writes it, then call sync-api-record once with {"adopt":true}';

interface AtName {
  /** All types at the name itself. */
  readonly all: readonly RecordSet[];
  readonly addresses: readonly RecordSet[];
  /** TXT at every name in which ownership may be noted. */
  readonly texts: readonly RecordSet[];
}

function atName({ records }: CurrentZone, { name }: Policy): AtName {
  const all = records.filter((record) => sameName(record.name, name));
  const heritage = heritageNames(name);
  return {
    all,
    addresses: all.filter(({ type }) => type === 'A' || type === 'AAAA'),
    texts: records.filter((record) => record.type === 'TXT' && heritage.includes(normalName(record.name))),
  };
}

/** What cannot stand beside a simple A record, or would be answered in its place. */
function conflictAt(all: readonly RecordSet[]): string | undefined {
  const alias = all.find(({ type }) => type === 'CNAME');
  if (alias !== undefined)
    return `${normalName(alias.name)} is a CNAME of ${alias.values.join(', ')}: no address can stand beside it; take it away first`;
  const routed = all.find(({ setIdentifier, type }) => setIdentifier !== undefined && (type === 'A' || type === 'AAAA'));
  return (
    routed &&
    `${normalName(routed.name)} has a record with routing of its own ("${routed.setIdentifier}"): a simple one cannot stand beside it; take those away first`
  );
}

type Claim = { readonly kind: 'ours' | 'free' | 'nobody' } | { readonly kind: 'foreign'; readonly owner: string; readonly where: string };

/** Whose the name is. A record that is what the lifeboat wrote last is its own, also when somebody took the note of it away. */
function claimOn({ addresses, texts }: AtName, written: Evidence['written'], { cluster }: Policy): Claim {
  const notes = texts.flatMap(({ name, values }) =>
    values.flatMap((value) => {
      const heritage = heritageOf(value);
      return heritage === undefined ? [] : [{ owner: heritage.owner, where: normalName(name) }];
    }),
  );
  const foreign = notes.find(({ owner }) => owner !== ownerOf(cluster));
  if (foreign !== undefined) return { kind: 'foreign', ...foreign };
  if (notes.length > 0) return { kind: 'ours' };
  if (addresses.length === 0) return { kind: 'free' };
  return written !== undefined && !hasDrifted(addresses, written) ? { kind: 'ours' } : { kind: 'nobody' };
}

function wantedRecords(desired: Desired, name: string): RecordSet[] {
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

/**
 * Everything that differs, as one batch. An address type of ours that the target has no more goes with it: half of the clients would be led to what
 * is gone, and the other type is written in the same batch, so that the name is never without an address.
 */
function changesFor({ addresses, texts }: AtName, wanted: readonly RecordSet[], policy: Policy): RecordChange[] {
  const upserts = wanted.filter((record) => !addresses.some((there) => sameRecord(there, record)));
  const stale = addresses.filter(({ type }) => !wanted.some((record) => record.type === type));
  const notes = wanted.flatMap(({ type }) => noteFor(type as AddressType, texts, policy));
  return [
    ...[...upserts, ...notes].map((record): RecordChange => ({ action: 'UPSERT', record })),
    ...stale.map((record): RecordChange => ({ action: 'DELETE', record })),
    ...foreignNotes(texts, wanted, policy),
  ];
}

/** An adopted name carries no claim of whoever had it: in each set where one is, only what has another purpose stays. */
function foreignNotes(texts: readonly RecordSet[], wanted: readonly RecordSet[], { cluster, name }: Policy): RecordChange[] {
  const own = wanted.map(({ type }) => ownershipName(name, type as AddressType));
  return texts.flatMap((record): RecordChange[] => {
    if (own.includes(normalName(record.name))) return [];
    const values = record.values.filter((value) => (heritageOf(value)?.owner ?? ownerOf(cluster)) === ownerOf(cluster));
    if (values.length === record.values.length) return [];
    return values.length === 0 ? [{ action: 'DELETE', record }] : [{ action: 'UPSERT', record: { ...record, values } }];
  });
}

/** The TXT that says whose the record is; what others have put beside it stays, but for another owner's claim on an adopted name. */
function noteFor(type: AddressType, texts: readonly RecordSet[], { cluster, name }: Policy): RecordSet[] {
  const own = ownershipName(name, type);
  const there = texts.find((record) => sameName(record.name, own));
  const text = heritageText(cluster);
  const others = there?.values.filter((value) => heritageOf(value) === undefined) ?? [];
  const values = [text, ...others];
  if (there !== undefined && there.values.length === values.length && values.every((value) => there.values.includes(value))) return [];
  return [{ name: own, type: 'TXT', ttl: there?.ttl ?? 300, values }];
}

function reasonFor({ addresses }: AtName, changes: readonly RecordChange[], claim: Claim, drifted: boolean): Because {
  if (claim.kind === 'foreign' || claim.kind === 'nobody') return 'adopted';
  if (addresses.length === 0) return 'missing';
  if (changes.every(({ record }) => record.type === 'TXT')) return 'ownership-missing';
  return drifted ? 'drifted' : 'target-changed';
}

function sameRecord(one: RecordSet, other: RecordSet): boolean {
  if (one.type !== other.type || one.setIdentifier !== undefined) return false;
  if (one.alias !== undefined || other.alias !== undefined)
    return (
      one.alias !== undefined &&
      other.alias !== undefined &&
      sameAlias(one.alias.dnsName, other.alias.dnsName) &&
      one.alias.zoneId === other.alias.zoneId &&
      one.alias.evaluateTargetHealth === other.alias.evaluateTargetHealth
    );
  return one.ttl === other.ttl && sameValues(one.values, other.values);
}

/** The console puts `dualstack.` before the name of a balancer; it leads to the same one. */
const sameAlias = (one: string, other: string): boolean => plainAlias(one) === plainAlias(other);
const plainAlias = (name: string): string => normalName(name).replace(/^dualstack\./, '');
const sameValues = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && [...some].sort().join() === [...others].sort().join();

/** A record in the words in which the lifeboat remembers what it wrote. */
export const writtenOf = (records: readonly RecordSet[]): WrittenRecord[] =>
  records
    .filter(({ type }) => type === 'A' || type === 'AAAA')
    .map(({ type, values, alias }) => ({
      type: type as AddressType,
      values: alias === undefined ? [...values].sort() : [plainAlias(alias.dnsName)],
      alias: alias !== undefined,
    }));

function hasDrifted(addresses: readonly RecordSet[], written: Evidence['written']): boolean {
  if (written === undefined) return false;
  const text = (records: readonly WrittenRecord[]) =>
    records.map(({ type, values, alias }) => `${type} ${alias} ${[...values].sort().join()}`).sort();
  return text(writtenOf(addresses)).join() !== text(written).join();
}

/** Whether clients would be led to something that they are not led to now. */
const leadsElsewhere = (addresses: readonly RecordSet[], wanted: readonly RecordSet[]): boolean => {
  const values = (records: readonly RecordSet[]) => writtenOf(records).flatMap((record) => record.values);
  const now = new Set(values(addresses));
  return values(wanted).some((value) => !now.has(value));
};

const describe = (records: readonly RecordSet[]): string =>
  records.length === 0
    ? 'nothing'
    : records.map(({ type, values, alias }) => `${type} ${alias === undefined ? values.join(', ') : plainAlias(alias.dnsName)}`).join('; ');
