import type { ApiRecordState, ChangedBy, DriftUnderInquiry } from '../contract/api-record';
import { messageOf } from '../contract/lifeboat-error';
import { describe } from './record-set';
import type { RecordSet } from './record-set';
import { sameName } from './record-name';

/** One call of ChangeResourceRecordSets, as CloudTrail tells it. */
export interface ZoneCall {
  readonly eventId: string;
  /** ISO 8601, to the second. */
  readonly at: string;
  /** ARN of who called, or the best that there is in its place. */
  readonly who: string;
  readonly sourceAddress?: string;
  readonly userAgent?: string;
  readonly zoneId: string;
  /** Empty where CloudTrail left the request out, which it does when it is very large. */
  readonly changes: readonly {
    readonly action: string;
    readonly name: string;
    readonly type: string;
    readonly values: readonly string[];
  }[];
}

/** What CloudTrail has of a time, in no order; what it has not got yet is not there. @throws DnsFailed */
export type Trail = (from: Date, to: Date) => Promise<readonly ZoneCall[]>;

/** CloudTrail: "typically within an average of about 5 minutes of an API call. This time is not guaranteed" (FAQ, and 15 minutes for event history). */
const LATE_MS = 20 * 60_000;
/** How far is looked back when nobody knows since when the record is another. */
const LOOK_BACK_MS = 60 * 60_000;
/** By how much the clocks of Route 53 and of a function may differ. */
const CLOCKS_MS = 5_000;
/** As many as fit into what is remembered; whoever writes more often is known by then. */
const MOST_TOLD = 20;

export interface Found {
  readonly drifted: boolean;
  /** What the name leads to, and what is beside it. */
  readonly records: readonly RecordSet[];
}

/**
 * What is to be found out: the drift that is there now, or one of the last minutes about which nothing is known yet.
 *
 * A record that stays another is asked about once, and again when it becomes another.
 */
export function inquiryAfter(
  { inquiry, asWrittenAt }: ApiRecordState,
  { drifted, records }: Found,
  now: Date,
): DriftUnderInquiry | undefined {
  const found = describe(records);
  const goesOn = inquiry !== undefined && (!drifted || (found === inquiry.found && (asWrittenAt ?? '') < inquiry.foundAt));
  if (goesOn) return drifted || !inquiry.closed ? inquiry : undefined;
  if (!drifted) return undefined;
  // What is known of an earlier one need not be told again; what is not may still come.
  const known = inquiry !== undefined && inquiry.told.length > 0 ? inquiry.foundAt : undefined;
  const last = [asWrittenAt, known]
    .filter((stamp) => stamp !== undefined)
    .sort()
    .at(-1);
  const open = inquiry !== undefined && known === undefined && !inquiry.closed ? inquiry.since : undefined;
  const since = open ?? last ?? new Date(now.getTime() - LOOK_BACK_MS).toISOString();
  return { found, since, foundAt: now.toISOString(), told: [], closed: false };
}

export interface Whose {
  readonly name: string;
  readonly zoneId: string;
  /** Name of the role by which the lifeboat itself writes. */
  readonly ownRole: string;
}

export interface Inquired {
  readonly inquiry: DriftUnderInquiry;
  /** What was not told before, oldest first. */
  readonly changedBy: readonly ChangedBy[];
  /** Why nothing is known, where CloudTrail did not answer. */
  readonly silent?: string;
  /** CloudTrail knows of nobody, and would by now. */
  readonly unexplained?: true;
}

/** Asks CloudTrail, as long as it may still come to know. Never throws: that a record is right hangs on nothing of this. */
export async function inquire(trail: Trail, whose: Whose, inquiry: DriftUnderInquiry, now: Date): Promise<Inquired> {
  if (inquiry.closed) return { inquiry, changedBy: [] };
  const closed = now.getTime() - new Date(inquiry.foundAt).getTime() > LATE_MS;
  const [from, to] = [new Date(new Date(inquiry.since).getTime() - CLOCKS_MS), new Date(new Date(inquiry.foundAt).getTime() + CLOCKS_MS)];
  let calls: readonly ZoneCall[];
  try {
    calls = await trail(from, to);
  } catch (error) {
    return { inquiry: { ...inquiry, closed }, changedBy: [], silent: messageOf(error), ...unexplainedBy(inquiry.told, closed) };
  }
  const changedBy = calls
    .filter((call) => !inquiry.told.includes(call.eventId) && concerns(call, whose))
    .sort((one, other) => one.at.localeCompare(other.at))
    .slice(0, MOST_TOLD - inquiry.told.length)
    .map((call) => told(call, whose));
  const known = [...inquiry.told, ...changedBy.map(({ eventId }) => eventId)];
  return { inquiry: { ...inquiry, told: known, closed }, changedBy, ...unexplainedBy(known, closed) };
}

const unexplainedBy = (known: readonly string[], closed: boolean): Pick<Inquired, 'unexplained'> =>
  closed && known.length === 0 ? { unexplained: true } : {};

const isOf = (name: string, change: ZoneCall['changes'][number]): boolean =>
  sameName(change.name, name) && ['A', 'AAAA', 'CNAME'].includes(change.type);

const concerns = ({ who, zoneId, changes }: ZoneCall, { name, zoneId: zone, ownRole }: Whose): boolean =>
  zoneId === zone && !who.includes(`:assumed-role/${ownRole}/`) && (changes.length === 0 || changes.some((change) => isOf(name, change)));

const told = ({ eventId, at, who, sourceAddress, userAgent, changes }: ZoneCall, { name }: Whose): ChangedBy => ({
  ...{ eventId, at, who },
  ...(sourceAddress !== undefined && { sourceAddress }),
  ...(userAgent !== undefined && { userAgent }),
  what: changes
    .filter((change) => isOf(name, change))
    .map(({ action, type, values }) => `${action} ${type} ${values.join(', ')}`)
    .join('; '),
});
