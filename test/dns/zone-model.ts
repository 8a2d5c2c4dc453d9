import type { CurrentZone, RecordChange, RecordSet } from '../../lambdas/dns/plan-record';
import { isWithin, normalName, sameName } from '../../lambdas/dns/record-name';

const keyOf = ({ name, type, setIdentifier = '' }: RecordSet): string =>
  `${name.toLowerCase().replace(/\.$/, '')} ${type} ${setIdentifier}`;

/** A zone by the rules of Route 53: a batch is done whole or not at all, a deletion needs the exact record. @throws for a batch that it refuses */
export function applyChanges(zone: CurrentZone, changes: readonly RecordChange[]): CurrentZone {
  const records = new Map(zone.records.map((record) => [keyOf(record), record]));
  const touched = new Set<string>();
  for (const { action, record } of changes) {
    const key = keyOf(record);
    if (touched.has(key)) throw new Error(`InvalidChangeBatch: ${key} twice`);
    touched.add(key);
    if (!isWithin(record.name, zone.name)) throw new Error(`InvalidChangeBatch: ${key} is not permitted in zone ${zone.name}`);
    if (
      normalName(record.name).length > 253 ||
      normalName(record.name)
        .split('.')
        .some((label) => label.length > 63)
    )
      throw new Error(`InvalidChangeBatch: ${key} is too long for a name`);
    if (action === 'DELETE') {
      if (JSON.stringify(records.get(key)) !== JSON.stringify(record)) throw new Error(`InvalidChangeBatch: ${key} is another`);
      records.delete(key);
    } else {
      if (record.alias === undefined && record.values.length === 0) throw new Error(`InvalidChangeBatch: ${key} is empty`);
      if ((record.alias === undefined) === (record.ttl === undefined))
        throw new Error(`InvalidChangeBatch: ${key} has no TTL, or one too many`);
      records.set(key, record);
    }
  }
  const after = [...records.values()];
  for (const record of after)
    if (record.type === 'CNAME' && after.some((other) => other !== record && sameName(other.name, record.name)))
      throw new Error(`InvalidChangeBatch: CNAME beside others at ${record.name}`);
  return { ...zone, records: after };
}

export const addressesAt = ({ records }: CurrentZone, name: string): string[] =>
  records
    .filter((record) => (record.type === 'A' || record.type === 'AAAA') && sameName(record.name, name))
    .flatMap(({ values, alias }) => (alias === undefined ? values : [alias.dnsName]))
    .sort();
