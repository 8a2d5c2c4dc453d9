import { LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import type { CloudTrailClient, Event } from '@aws-sdk/client-cloudtrail';
import { z } from 'zod';
import { jsonOf } from '../contract/json';
import { messageOf } from '../contract/lifeboat-error';
import { DnsFailed } from '../dns/errors';
import type { Trail, ZoneCall } from '../dns/who-changed';

/** Where Route 53 has its API, and so where CloudTrail keeps its calls: a service of one region in each partition (General Reference, Route 53 endpoints). */
export const trailRegionFor = (region: string): string =>
  region.startsWith('cn-') ? 'cn-northwest-1' : region.startsWith('us-gov-') ? 'us-gov-west-1' : 'us-east-1';

/** Two requests a second for a whole account (API_LookupEvents): of more pages than this nobody has made an accident. */
const MOST_PAGES = 4;

/** What the event history of the account has of changes in hosted zones; it needs no trail. @throws DnsFailed */
export const zoneCalls =
  (client: CloudTrailClient): Trail =>
  async (from, to) => {
    const events: Event[] = [];
    let NextToken: string | undefined;
    try {
      for (let page = 0; page < MOST_PAGES; page++) {
        const found = await client.send(
          new LookupEventsCommand({
            LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'ChangeResourceRecordSets' }],
            StartTime: from,
            EndTime: to,
            NextToken,
          }),
        );
        events.push(...(found.Events ?? []));
        NextToken = found.NextToken;
        if (NextToken === undefined) break;
      }
    } catch (error) {
      throw new DnsFailed(`cannot look up events of CloudTrail: ${messageOf(error)}`, { cause: error });
    }
    return events.flatMap(callOf);
  };

const Change = z.object({
  action: z.string(),
  resourceRecordSet: z.object({
    name: z.string(),
    type: z.string(),
    resourceRecords: z.array(z.object({ value: z.string() })).optional(),
    aliasTarget: z.object({ dNSName: z.string() }).optional(),
  }),
});
/** Of an event what is used here (CloudTrail User Guide, "CloudTrail record contents"). */
const Told = z.object({
  eventTime: z.string(),
  errorCode: z.string().optional(),
  sourceIPAddress: z.string().optional(),
  userAgent: z.string().optional(),
  userIdentity: z.object({ arn: z.string().optional(), invokedBy: z.string().optional(), principalId: z.string().optional() }).optional(),
  requestParameters: z
    .object({ hostedZoneId: z.string().optional(), changeBatch: z.object({ changes: z.array(Change) }).optional() })
    .nullish(),
});

/** Nothing for a call that was refused, and for one of which not even the zone is known. */
function callOf({ EventId, Username, CloudTrailEvent }: Event): ZoneCall[] {
  const event = Told.safeParse(jsonOf(CloudTrailEvent ?? '')).data;
  const zoneId = event?.requestParameters?.hostedZoneId;
  if (event === undefined || zoneId === undefined || event.errorCode !== undefined) return [];
  const { arn, invokedBy, principalId } = event.userIdentity ?? {};
  return [
    {
      eventId: EventId ?? '',
      at: event.eventTime,
      who: arn ?? invokedBy ?? principalId ?? Username ?? 'somebody',
      zoneId: zoneId.replace(/^\/?hostedzone\//, ''),
      ...(event.sourceIPAddress !== undefined && { sourceAddress: event.sourceIPAddress }),
      ...(event.userAgent !== undefined && { userAgent: event.userAgent }),
      changes: (event.requestParameters?.changeBatch?.changes ?? []).map(({ action, resourceRecordSet: { name, type, ...set } }) => ({
        ...{ action, name, type },
        values: set.aliasTarget === undefined ? (set.resourceRecords ?? []).map(({ value }) => value) : [set.aliasTarget.dNSName],
      })),
    },
  ];
}
