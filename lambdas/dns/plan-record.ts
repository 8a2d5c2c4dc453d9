import type { AddressType, WrittenRecord } from '../contract/api-record';
import { atName, claimOn, isOurs, missingNotes } from './claims';
import type { AtName, Claim } from './claims';
import { isWithin, namesAbove, normalName, sameName } from './record-name';
import { describe, describeChange, isAddress, isAsWritten, leadsElsewhere, sameRecord, wantedRecords } from './record-set';
import type { Desired, RecordChange, RecordSet } from './record-set';

export { TTL_SECONDS, writtenOf } from './record-set';
export type { AliasTarget, Desired, RecordChange, RecordSet } from './record-set';

/** What is in the zone at the name, where its ownership may be noted, and at the names above it. */
export interface CurrentZone {
  readonly name: string;
  readonly visibility: 'public' | 'private';
  readonly records: readonly RecordSet[];
}

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
  | 'delegated'
  | 'foreign-owner'
  | 'not-ours'
  | 'conflicting-record'
  | 'too-large'
  | 'nothing-answers'
  | 'name-not-in-certificate'
  | 'locked';

/** `hold`: it will pass by itself. `refuse`: somebody must decide. */
export interface RecordPlan {
  readonly action: 'none' | 'write' | 'hold' | 'refuse';
  readonly because: Because;
  readonly message: string;
  /** One batch; empty unless the action is `write`. */
  readonly changes: readonly RecordChange[];
  /** Whether the name leads to something else than the lifeboat wrote last, or to something beside it. */
  readonly drifted: boolean;
  /** Addresses at the name that are nobody's, beside what is the lifeboat's: they stay as they are. */
  readonly beside: readonly RecordSet[];
}

/**
 * What to write, if anything: one batch that never deletes the name's last address and never touches what somebody else owns.
 *
 * The guards come in the order in which somebody would have to mend them: first where the name is and whose, then whether this is the moment.
 */
export function planApiRecord(zone: CurrentZone, desired: Desired, evidence: Evidence, policy: Policy): RecordPlan {
  const { name, adopt } = policy;
  const at = atName(zone, policy, evidence.written);
  const claim = claimOn(at);
  const beside = claim.kind === 'ours' && !adopt ? strangersAt(at) : [];
  const own = at.addresses.filter((record) => !beside.includes(record));
  const wanted = wantedRecords(desired, name).filter(({ type }) => !beside.some((record) => record.type === type));
  const changes = changesFor(at, own, wanted);
  const facts: Facts = { zone, at, own, wanted, changes, claim, evidence, policy };
  const found = { drifted: beside.length > 0 || differs(own, evidence.written), beside };
  const besides = beside.length === 0 ? '' : `; ${describe(beside)} beside it is not the lifeboat's: ${ADOPTING}`;

  const stop = firstStop(WHERE_AND_WHOSE, facts);
  if (stop !== undefined) return { ...stop, ...found, changes: [] };
  if (wanted.length > 0 && changes.length === 0)
    return { ...found, action: 'none', because: 'as-desired', message: `${name} leads to ${describe(own)}${besides}`, changes };
  const wait = firstStop(WHETHER_NOW, facts);
  if (wait !== undefined) return { ...wait, ...found, changes: [] };
  return { ...found, action: 'write', because: reasonFor(facts), message: `${describeChange(own, wanted)}${besides}`, changes };
}

/**
 * What somebody put beside the A record of ours. It is left where it is, and keeps nobody from mending the A record: that others may write into the
 * zone must not be how the name stops to follow.
 */
const strangersAt = (at: AtName): RecordSet[] => at.addresses.filter((record) => record.type === 'AAAA' && !isOurs(at, record));

const differs = (own: readonly RecordSet[], written: Evidence['written']): boolean =>
  written !== undefined && (own.length !== written.length || !own.every((record) => isAsWritten(record, written)));

interface Facts {
  readonly zone: CurrentZone;
  readonly at: AtName;
  /** The addresses that are the lifeboat's, or will be. */
  readonly own: readonly RecordSet[];
  readonly wanted: readonly RecordSet[];
  readonly changes: readonly RecordChange[];
  readonly claim: Claim;
  readonly evidence: Evidence;
  readonly policy: Policy;
}

type Stop = Pick<RecordPlan, 'action' | 'because' | 'message'>;
type Guard = (facts: Facts) => Stop | undefined;

const firstStop = (guards: readonly Guard[], facts: Facts): Stop | undefined => {
  for (const guard of guards) {
    const stop = guard(facts);
    if (stop !== undefined) return stop;
  }
  return undefined;
};
const refuse = (because: Because, message: string): Stop => ({ action: 'refuse', because, message });
const hold = (because: Because, message: string): Stop => ({ action: 'hold', because, message });

const ADOPTING = 'see that nothing else writes it, then call sync-api-record once with {"adopt":true}';

const WHERE_AND_WHOSE: readonly Guard[] = [
  ({ zone, policy: { name } }) =>
    isWithin(name, zone.name)
      ? undefined
      : refuse('outside-the-zone', `${name} is not in the zone ${normalName(zone.name)}: give the zoneId of one that it is in`),
  ({ zone, policy }) =>
    zone.visibility === policy.visibility
      ? undefined
      : refuse(
          'other-visibility',
          `the zone ${normalName(zone.name)} is ${zone.visibility}, and api.visibility is ${policy.visibility}: zones of one name are easily mixed up`,
        ),
  ({ zone, policy: { name } }) => {
    const away = delegationOf(zone, name);
    if (away === undefined) return undefined;
    return refuse(
      'delegated',
      `${normalName(away.name)} has a zone of its own, by the NS record in ${normalName(zone.name)}: nobody would see ${name} here; give the zoneId of that zone`,
    );
  },
  ({ at }) => {
    const cname = at.all.find(({ type }) => type === 'CNAME');
    if (cname === undefined) return undefined;
    const what = `${normalName(cname.name)} is a CNAME of ${cname.values.join(', ')}`;
    return refuse('conflicting-record', `${what}: no address can stand beside it; take it away first`);
  },
  ({ at }) => {
    const routed = at.addresses.find(({ setIdentifier }) => setIdentifier !== undefined);
    if (routed === undefined) return undefined;
    const what = `${normalName(routed.name)} has a record with routing of its own ("${routed.setIdentifier ?? ''}")`;
    return refuse('conflicting-record', `${what}: a simple one cannot stand beside it; take those away first`);
  },
  ({ claim, policy: { adopt, name } }) => {
    if (claim.kind !== 'foreign' || adopt) return undefined;
    return refuse('foreign-owner', `${name} belongs to ${claim.owner || 'somebody'} (${claim.where}): ${ADOPTING}`);
  },
  ({ claim, at, policy: { adopt, name } }) => {
    if (claim.kind !== 'nobody' || adopt) return undefined;
    const what = `${name} leads to ${describe(at.addresses)} already, and nobody has noted that it is the lifeboat's`;
    return refuse('not-ours', `${what}: ${ADOPTING}`);
  },
];

const WHETHER_NOW: readonly Guard[] = [
  ({ changes, policy: { name } }) => {
    const { values, characters } = sizeOf(changes);
    if (values <= MOST_VALUES && characters <= MOST_CHARACTERS) return undefined;
    return refuse('too-large', `${name} would need ${values} values in one batch, and Route 53 takes ${MOST_VALUES}: give fewer addresses`);
  },
  ({ wanted, policy: { name } }) =>
    wanted.length > 0 ? undefined : hold('nothing-answers', `nothing is known that answers: ${name} stays as it is`),
  ({ evidence, changes, wanted, policy: { name } }) =>
    evidence.answering > 0 || changes.every(({ record }) => !isAddress(record))
      ? undefined
      : hold('nothing-answers', `nothing behind ${describe(wanted)} answers: ${name} stays as it is`),
  ({ evidence: { withoutName }, own, wanted, policy: { name } }) => {
    if (withoutName.length === 0 || !leadsElsewhere(own, wanted)) return undefined;
    const what = `the certificates at ${withoutName.join(', ')} do not carry ${name}`;
    return hold('name-not-in-certificate', `${what}: clients would refuse them; rotate the certificates first`);
  },
  // A name that leads nowhere waits for nobody: there is nothing that the holder of the lock could still rely on.
  ({ evidence: { lockedBy }, at, policy: { name, onBehalfOf } }) =>
    lockedBy === undefined || lockedBy === onBehalfOf || at.addresses.length === 0
      ? undefined
      : hold('locked', `${lockedBy} works on the control plane: ${name} follows when it has ended`),
];

/** The record by which questions for the name are led to another zone. Private zones delegate nothing: there the more specific zone is asked first. */
function delegationOf({ name: zoneName, visibility, records }: CurrentZone, name: string): RecordSet | undefined {
  if (visibility === 'private') return undefined;
  const places = [...(sameName(name, zoneName) ? [] : [normalName(name)]), ...namesAbove(name, zoneName)];
  return records.find((record) => record.type === 'NS' && places.includes(normalName(record.name)));
}

/**
 * Everything that differs, as one batch of UPSERTs, and one deletion that there may be: the AAAA of ours that the target has no more. Left, it would
 * lead half of the clients to what is gone; where there is something wanted and no AAAA is, an A record is, so that the name is never without an
 * address. Its note stays. An A record that is adopted and not wanted stays as well, and so is noted with the others.
 */
function changesFor(at: AtName, own: readonly RecordSet[], wanted: readonly RecordSet[]): RecordChange[] {
  const upserts = wanted.filter((record) => !own.some((there) => sameRecord(there, record)));
  const stale = own.filter(({ type }) => type === 'AAAA' && !wanted.some((record) => record.type === 'AAAA'));
  const afterwards = [...wanted, ...own.filter((record) => !stale.includes(record))];
  const notes = missingNotes(
    at,
    afterwards.map(({ type }) => type as AddressType),
  );
  return [
    ...[...upserts, ...notes].map((record): RecordChange => ({ action: 'UPSERT', record })),
    ...stale.map((record): RecordChange => ({ action: 'DELETE', record })),
  ];
}

/** Route 53 quotas, "ChangeResourceRecordSets": of one request, and whatever is in an UPSERT counts twice. */
const MOST_VALUES = 1000;
const MOST_CHARACTERS = 32_000;

function sizeOf(changes: readonly RecordChange[]): { readonly values: number; readonly characters: number } {
  const counted = changes.flatMap(({ action, record }) => (action === 'UPSERT' ? [...record.values, ...record.values] : record.values));
  return { values: counted.length, characters: counted.join('').length };
}

function reasonFor({ own, changes, claim, evidence: { written } }: Facts): Because {
  if (claim.kind === 'foreign' || claim.kind === 'nobody') return 'adopted';
  if (own.length === 0) return 'missing';
  if (changes.every(({ record }) => !isAddress(record))) return 'ownership-missing';
  return differs(own, written) ? 'drifted' : 'target-changed';
}
