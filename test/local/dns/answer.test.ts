import { AUTHORITATIVE_ANSWER, TRUNCATED_RESPONSE, decode, encode } from 'dns-packet';
import { answerFor } from '../../../local/dns/answer';
import type { DnsAnswer, ServedZone } from '../../../local/dns/answer';
import { respond } from '../../../local/dns/packets';

const SOA = {
  name: 'example.com.',
  type: 'SOA',
  ttl: 900,
  values: ['ns-1.awsdns-1.com. hostmaster.example.com. 1 7200 900 1209600 86400'],
};
const zone = (records: ServedZone['records'], change: Partial<ServedZone> = {}): ServedZone => ({
  ...{ name: 'example.com.', visibility: 'public', records: [SOA, ...records] },
  ...change,
});
const a = (name: string, ...values: string[]) => ({ name, type: 'A', ttl: 60, values });
const ask = (zones: readonly ServedZone[], name: string, type = 'A', balancers = new Map<string, readonly string[]>()): DnsAnswer =>
  answerFor(zones, balancers, { name, type });
const values = ({ answers }: DnsAnswer): string[] => answers.map(({ type, value }) => `${type} ${value}`);

describe('what an authoritative server says', () => {
  const zones = [
    zone([
      a('api.example.com.', '192.0.2.1', '192.0.2.2'),
      a('*.wild.example.com.', '192.0.2.3'),
      a('deep.below.example.com.', '192.0.2.4'),
      { name: '\\052.escaped.example.com.', type: 'A', ttl: 60, values: ['192.0.2.6'] },
      { name: 'alias.example.com.', type: 'CNAME', ttl: 60, values: ['api.example.com.'] },
      { name: 'api.example.com.', type: 'TXT', ttl: 60, values: ['"one" "two"'] },
    ]),
  ];

  test.each<[string, string, string, DnsAnswer['code'], string[]]>([
    ['every value of a name', 'api.example.com', 'A', 'NOERROR', ['A 192.0.2.1', 'A 192.0.2.2']],
    ['a name in any case', 'API.Example.COM.', 'A', 'NOERROR', ['A 192.0.2.1', 'A 192.0.2.2']],
    ['nothing of a type that is not there', 'api.example.com', 'AAAA', 'NOERROR', []],
    ['that a name is not there', 'www.example.com', 'A', 'NXDOMAIN', []],
    ['that a name is there when only names below it have records', 'below.example.com', 'A', 'NOERROR', []],
    ['a wildcard for what has no record of its own', 'any.wild.example.com', 'A', 'NOERROR', ['A 192.0.2.3']],
    ['a wildcard that Route 53 lists escaped', 'any.escaped.example.com', 'A', 'NOERROR', ['A 192.0.2.6']],
    ['where a CNAME leads', 'alias.example.com', 'A', 'NOERROR', ['CNAME api.example.com', 'A 192.0.2.1', 'A 192.0.2.2']],
    ['the CNAME itself to whoever asks for it', 'alias.example.com', 'CNAME', 'NOERROR', ['CNAME api.example.com.']],
    ['that it is not asked for the names of others', 'example.org', 'A', 'REFUSED', []],
  ])('%s', (_sentence, name, type, code, expected) => {
    const found = ask(zones, name, type);

    expect({ code: found.code, values: values(found) }).toEqual({ code, values: expected });
  });

  test('its own SOA beside nothing, so that resolvers know for how long', () => {
    expect(ask(zones, 'www.example.com').authority.map(({ type }) => type)).toEqual(['SOA']);
  });

  test('the addresses of a balancer for an alias, with the TTL that AWS gives, and nothing of one that it does not know', () => {
    const alias = { dnsName: 'dualstack.API-1.elb.amazonaws.com.', zoneId: 'Z1', evaluateTargetHealth: true };
    const aliased = [zone([{ name: 'api.example.com.', type: 'A', values: [], alias }])];

    const found = ask(aliased, 'api.example.com', 'A', new Map([['api-1.elb.amazonaws.com', ['10.0.0.1', '2001:db8::1']]]));

    expect(found.answers).toEqual([{ name: 'api.example.com', type: 'A', ttl: 60, value: '10.0.0.1' }]);
    expect(values(ask(aliased, 'api.example.com'))).toEqual([]);
  });

  test('the private zone of two with one name, which never falls through to the public one', () => {
    const both = [
      zone([a('api.example.com.', '192.0.2.1'), a('www.example.com.', '192.0.2.9')]),
      zone([a('api.example.com.', '10.0.0.1')], { visibility: 'private' }),
    ];

    expect(values(ask(both, 'api.example.com'))).toEqual(['A 10.0.0.1']);
    expect(ask(both, 'www.example.com').code).toBe('NXDOMAIN');
  });

  test('the zone with the longer name', () => {
    const child = zone([a('api.k8s.example.com.', '10.0.0.1')], { name: 'k8s.example.com.' });

    expect(values(ask([zone([a('api.k8s.example.com.', '192.0.2.1')]), child], 'api.k8s.example.com'))).toEqual(['A 10.0.0.1']);
  });
});

describe('messages', () => {
  const question = encode({ type: 'query', id: 7, flags: 0x100, questions: [{ name: 'API.example.com', type: 'A' }] });
  const many = (count: number): DnsAnswer => ({
    code: 'NOERROR',
    authority: [],
    answers: Array.from({ length: count }, (_, index) => ({ name: 'api.example.com', type: 'A', ttl: 60, value: `10.0.${index}.1` })),
  });

  test('are answered with authority, under the id and in the case in which they came', () => {
    const reply = decode(respond(question, 'udp', () => many(1))!);

    expect(reply.id).toBe(7);
    expect((reply.flags ?? 0) & AUTHORITATIVE_ANSWER).toBeTruthy();
    expect(reply.answers?.map(({ name }) => name)).toEqual(['API.example.com']);
  });

  test('that do not fit into a datagram are cut, and come whole by TCP', () => {
    const cut = respond(question, 'udp', () => many(60))!;

    expect(cut.length).toBeLessThanOrEqual(512);
    expect((decode(cut).flags ?? 0) & TRUNCATED_RESPONSE).toBeTruthy();
    expect(decode(respond(question, 'tcp', () => many(60))!).answers).toHaveLength(60);
  });

  test('that are none are told so, or left alone', () => {
    const answer = () => many(1);

    expect(respond(Buffer.from('short'), 'udp', answer)).toBeUndefined();
    expect(decode(respond(Buffer.concat([question.subarray(0, 12), Buffer.from([0xc0])]), 'udp', answer)!)).toMatchObject({
      rcode: 'FORMERR',
    });
    expect(respond(encode({ type: 'response', id: 7 }), 'udp', answer)).toBeUndefined();
  });
});
