import { endpointMistake, fqdnMistake, ipv4Mistake, subjectAlternativeNameMistake } from '../../../lib/config/addresses';

test.each(['https://10.0.1.10:2379', 'https://etcd-1.example.com:2379', 'https://[2001:db8::1]:2379', 'https://localhost:443'])(
  '%s is a client URL',
  (endpoint) => {
    expect(endpointMistake(endpoint)).toBeUndefined();
  },
);

test.each([
  ['10.0.1.10:2379', 'is not a URL; use https://host:2379'],
  ['http://10.0.1.10:2379', 'is not https; use "https://10.0.1.10:2379"'],
  ['etcd://10.0.1.10:2379', 'is not https'],
  ['https://10.0.1.10', 'has no port; use "https://10.0.1.10:2379"'],
  ['https://10.0.1.10/', 'has no port'],
  ['https://10.0.1.10:0', 'has no port'],
  ['https://10.0.1.10:65536', 'is not a URL'],
  ['https://10.0.1.10:2379/', 'has "/" after the port; use "https://10.0.1.10:2379"'],
  ['https://10.0.1.10:2379/v3', 'has "/v3" after the port'],
  ['https://10.0.1.10:2379?x=1', 'has "?x=1" after the port'],
  ['https://10.0.1.10:2379#x', 'has "#x" after the port'],
  ['https://root:secret@10.0.1.10:2379', 'carries a user or a password'],
  ['https://a:1,https://b:1', 'is not a URL'],
])('%s %s', (endpoint, expected) => {
  expect(endpointMistake(endpoint)).toContain(expected);
});

test.each(['api.k8s.example.com', 'a.b', '1.example.com', `${'a'.repeat(63)}.example.com`])(
  '%s is a fully qualified domain name',
  (name) => {
    expect(fqdnMistake(name)).toBeUndefined();
  },
);

test.each([
  ['api', 'is not a fully qualified domain name'],
  ['api.example.com.', 'ends in a dot; use "api.example.com"'],
  ['API.example.com', 'has upper-case letters; use "api.example.com"'],
  ['10.0.0.1', 'is an IP address'],
  ['-api.example.com', 'is not a fully qualified'],
  ['api-.example.com', 'is not a fully qualified'],
  ['api..example.com', 'is not a fully qualified'],
  ['*.example.com', 'is not a fully qualified'],
  [`${'a'.repeat(64)}.example.com`, 'is not a fully qualified'],
  [`${'abc.'.repeat(70)}example.com`, 'is not a fully qualified'],
])('%s %s', (name, expected) => {
  expect(fqdnMistake(name)).toContain(expected);
});

test.each([
  ['203.0.113.10', undefined],
  ['203.0.113.256', 'is not an IPv4 address'],
  ['2001:db8::1', 'is an IPv6 address'],
])('as an A record %s %s', (address, expected) => {
  if (expected === undefined) expect(ipv4Mistake(address)).toBeUndefined();
  else expect(ipv4Mistake(address)).toContain(expected);
});

test.each([
  ['2001:db8::1', false],
  ['203.0.113.10', false],
  ['api.example.com', false],
  ['*.example.com', true],
  ['localhost', true],
])('as a name of a certificate %s is wrong: %s', (name, wrong) => {
  expect(subjectAlternativeNameMistake(name) !== undefined).toBe(wrong);
});
