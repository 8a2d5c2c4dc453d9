// The API's record: what goes between the function that writes it, the one beside the cluster that looks, and the bucket.
import { z } from 'zod';

/** The types by which a name leads to an address. */
export const AddressType = z.enum(['A', 'AAAA']);
export type AddressType = z.infer<typeof AddressType>;

/** `api` of the config, as the functions are told it. */
export const ApiRecordSettings = z.object({
  /** Lower case, without the closing dot. */
  name: z.string(),
  zoneId: z.string(),
  visibility: z.enum(['public', 'private']),
  /** TCP port of the API behind the name. */
  port: z.number().int(),
  target: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('load-balancer'), arn: z.string() }),
    z.object({ kind: z.literal('addresses'), addresses: z.array(z.string()).readonly() }),
    z.object({ kind: z.literal('healthy-nodes') }),
  ]),
});
export type ApiRecordSettings = z.infer<typeof ApiRecordSettings>;

/** What `sync-api-record` is called with; the schedule says `{}`. */
export const SyncEvent = z.object({
  /** Takes a record over that nobody owns, or somebody else: by hand, once. */
  adopt: z.boolean().default(false),
  /** The holder of the cluster's lock for whom this is done: a runbook that asks for the record to follow its own change. */
  onBehalfOf: z.string().optional(),
});
export type SyncEvent = z.infer<typeof SyncEvent>;

/** One place that is to be looked at: an address, or a name that is resolved first. */
export const ProbeTarget = z.object({ host: z.string(), port: z.number().int().positive() });
export type ProbeTarget = z.infer<typeof ProbeTarget>;

export const ProbeRequest = z.object({ name: z.string(), targets: z.array(ProbeTarget), resolve: z.boolean() });
export type ProbeRequest = z.infer<typeof ProbeRequest>;

/** What a place answered to a fresh handshake with the name, and to `GET /readyz` by nobody in particular. */
export const ProbeAnswer = ProbeTarget.extend({
  /** Whether an API server, or something that stands for one, spoke. */
  answers: z.boolean(),
  /** Whether the certificate that it served carries the name; missing where none was seen. */
  carriesName: z.boolean().optional(),
  /** Status of /readyz. 401 and 403: anonymous requests are off there, and it speaks. */
  status: z.number().int().optional(),
  because: z.string(),
});
export type ProbeAnswer = z.infer<typeof ProbeAnswer>;

export const ProbeReport = z.object({
  answers: z.array(ProbeAnswer),
  /** What the name leads to from there; missing when nobody asked, empty when it leads nowhere. */
  resolved: z.array(z.string()).optional(),
});
export type ProbeReport = z.infer<typeof ProbeReport>;

const Stamp = z.iso.datetime();

/** What a runbook keeps of a run that it asked for: how it ended, or why it did not. */
export const FollowedName = z.union([
  z.object({ answers: z.boolean(), action: z.string(), message: z.string() }),
  z.object({ Error: z.string(), Cause: z.string() }),
]);
export type FollowedName = z.infer<typeof FollowedName>;

/** One line for a report: what the API's name leads to now. */
export const followedWords = (followed: FollowedName): string =>
  'Error' in followed
    ? `could not be looked at (${followed.Error})`
    : `${followed.answers ? 'answers' : 'does not answer'}: ${followed.message}`;

/** What is remembered of one address from round to round. */
export const TargetMemory = z.object({
  /** Whether it belongs into the record. */
  in: z.boolean(),
  /** Rounds in a row that spoke against that. */
  against: z.number().int().nonnegative(),
});
export type TargetMemory = z.infer<typeof TargetMemory>;

/** A value of the record as the lifeboat wrote it: addresses, or the name of a balancer. */
export const WrittenRecord = z.object({
  type: AddressType,
  values: z.array(z.string()),
  alias: z.boolean(),
  /** Missing for an alias, and in what was remembered before there was one. */
  ttl: z.number().int().optional(),
});
export type WrittenRecord = z.infer<typeof WrittenRecord>;

/** A drift of which it is to be found out who made it. */
export const DriftUnderInquiry = z.object({
  /** What the record was found to be, in words. */
  found: z.string(),
  /** When it was last found to be as the lifeboat wrote it. */
  since: Stamp,
  foundAt: Stamp,
  /** Ids of the events of CloudTrail that have been told. */
  told: z.array(z.string()),
  /** Whether CloudTrail would know by now. */
  closed: z.boolean(),
});
export type DriftUnderInquiry = z.infer<typeof DriftUnderInquiry>;

/** Somebody else who changed the record, as CloudTrail tells it. */
export const ChangedBy = z.object({
  eventId: z.string(),
  at: z.string(),
  /** ARN of the user, the session of a role, or the service. */
  who: z.string(),
  sourceAddress: z.string().optional(),
  userAgent: z.string().optional(),
  /** `UPSERT A 192.0.2.66`; empty where CloudTrail left out what was asked for. */
  what: z.string(),
});
export type ChangedBy = z.infer<typeof ChangedBy>;

/** `clusters/<cluster>/dns/state.json`. Lost, it costs a round or two: what is in the record counts as good until it is found not to be. */
export const ApiRecordState = z.object({
  version: z.literal(1),
  targets: z.record(z.string(), TargetMemory).default({}),
  /** When the last round was counted: an event that follows another at once says nothing new. */
  countedAt: Stamp.optional(),
  /** What was written last, and when. */
  written: z.array(WrittenRecord).optional(),
  writtenAt: Stamp.optional(),
  /** When the record was last found to be what was written. */
  asWrittenAt: Stamp.optional(),
  inquiry: DriftUnderInquiry.optional(),
  /** A change that was not INSYNC when its function had to end. */
  pending: z.object({ changeId: z.string(), since: Stamp }).optional(),
});
export type ApiRecordState = z.infer<typeof ApiRecordState>;
export const NO_STATE: ApiRecordState = { version: 1, targets: {} };
