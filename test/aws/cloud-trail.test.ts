import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { mockClient } from 'aws-sdk-client-mock';
import { trailRegionFor, zoneCalls } from '../../lambdas/aws/cloud-trail';

const client = mockClient(CloudTrailClient);
const trail = zoneCalls(new CloudTrailClient({ region: 'us-east-1' }));
const [FROM, TO] = [new Date('2026-11-26T12:00:00Z'), new Date('2026-11-26T12:10:00Z')];
const ROLE = 'arn:aws:sts::111122223333:assumed-role/external-dns/i-0abc';

/** As "Example: Route 53 log file entries" of the Developer Guide has one. */
const event = (change: object = {}): object => ({
  userIdentity: { type: 'AssumedRole', principalId: 'AROA:i-0abc', arn: ROLE, accountId: '111122223333' },
  eventTime: '2026-11-26T12:03:00Z',
  eventSource: 'route53.amazonaws.com',
  eventName: 'ChangeResourceRecordSets',
  awsRegion: 'us-east-1',
  sourceIPAddress: '192.0.2.92',
  userAgent: 'external-dns',
  requestParameters: {
    hostedZoneId: 'Z1PA6795UKMFR9',
    changeBatch: {
      comment: 'x',
      changes: [
        {
          action: 'UPSERT',
          resourceRecordSet: { name: 'api.example.com.', type: 'A', tTL: 300, resourceRecords: [{ value: '192.0.2.66' }] },
        },
        { action: 'DELETE', resourceRecordSet: { name: 'api.example.com.', type: 'AAAA', aliasTarget: { dNSName: 'lb.example.com' } } },
      ],
    },
  },
  responseElements: { changeInfo: { id: '/change/C1', status: 'PENDING' } },
  ...change,
});
const listed = (...events: object[]) => ({
  Events: events.map((each, index) => ({ EventId: `e${index}`, CloudTrailEvent: JSON.stringify(each) })),
});

beforeEach(() => client.reset());

test('tells who changed what, in the time that is asked for', async () => {
  client.on(LookupEventsCommand).resolves(listed(event()));

  expect(await trail(FROM, TO)).toEqual([
    {
      eventId: 'e0',
      at: '2026-11-26T12:03:00Z',
      who: ROLE,
      sourceAddress: '192.0.2.92',
      userAgent: 'external-dns',
      zoneId: 'Z1PA6795UKMFR9',
      changes: [
        { action: 'UPSERT', name: 'api.example.com.', type: 'A', values: ['192.0.2.66'] },
        { action: 'DELETE', name: 'api.example.com.', type: 'AAAA', values: ['lb.example.com'] },
      ],
    },
  ]);
  expect(client.commandCalls(LookupEventsCommand)[0]?.args[0].input).toMatchObject({ StartTime: FROM, EndTime: TO });
});

test.each<[string, object, unknown[]]>([
  [
    'a service that acts for somebody',
    { userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
    ['cloudformation.amazonaws.com'],
  ],
  ['a call that was refused', { errorCode: 'AccessDenied' }, []],
  ['an event without a zone', { requestParameters: null }, []],
  ['a request that was left out', { requestParameters: { hostedZoneId: 'Z1' } }, [ROLE]],
])('%s', async (_what, change, expected) => {
  client.on(LookupEventsCommand).resolves(listed(event(change)));

  expect((await trail(FROM, TO)).map(({ who }) => who)).toEqual(expected);
});

test('an event that is no JSON is passed over', async () => {
  client.on(LookupEventsCommand).resolves({ Events: [{ EventId: 'e', CloudTrailEvent: 'x' }, {}] });

  expect(await trail(FROM, TO)).toEqual([]);
});

test('reads on from page to page, and not for ever', async () => {
  client.on(LookupEventsCommand).resolves({ ...listed(event()), NextToken: 'more' });

  expect(await trail(FROM, TO)).toHaveLength(4);
});

test('an answer that does not come is an error, and not "nobody"', async () => {
  client.on(LookupEventsCommand).rejects(new Error('ThrottlingException'));

  await expect(trail(FROM, TO)).rejects.toThrow('cannot look up events of CloudTrail: ThrottlingException');
});

test.each([
  ['eu-central-1', 'us-east-1'],
  ['cn-north-1', 'cn-northwest-1'],
  ['us-gov-east-1', 'us-gov-west-1'],
])('from %s, calls of Route 53 are in %s', (region, expected) => {
  expect(trailRegionFor(region)).toBe(expected);
});
