import { heritageOf, heritageText, ownerOf } from '../../lambdas/dns/ownership';
import { heritageNames, isWithin, normalName, ownershipName, sameName } from '../../lambdas/dns/record-name';

describe('names', () => {
  test.each([
    ['API.K8s.Example.COM.', 'api.k8s.example.com'],
    ['\\052.example.com.', '*.example.com'],
    ['bücher.example.com', 'xn--bcher-kva.example.com'],
    ['_acme.example.com', '_acme.example.com'],
  ])('%s is %s', (name, normal) => {
    expect(normalName(name)).toBe(normal);
    expect(sameName(name, `${normal}.`)).toBe(true);
  });

  test.each([
    ['api.example.com', 'example.com.', true],
    ['example.com', 'example.com', true],
    ['api.badexample.com', 'example.com', false],
    ['example.com', 'api.example.com', false],
  ])('%s in the zone %s: %s', (name, zone, within) => {
    expect(isWithin(name, zone)).toBe(within);
  });

  test('ownership is noted in a name of its own, and looked for wherever external-dns ever put it', () => {
    expect(ownershipName('API.example.com', 'AAAA')).toBe('aaaa-api.example.com');
    expect(heritageNames('api.example.com')).toEqual([
      'api.example.com',
      'a-api.example.com',
      'aaaa-api.example.com',
      'cname-api.example.com',
    ]);
  });
});

describe('heritage', () => {
  test.each<[string, string, { owner: string; resource: string } | undefined]>([
    [
      'as external-dns writes it',
      '"heritage=external-dns,external-dns/owner=default,external-dns/resource=service/default/nginx"',
      { owner: 'default', resource: 'service/default/nginx' },
    ],
    ['in another order, with labels that nobody knows', '"external-dns/owner=me,x=y,heritage=external-dns"', { owner: 'me', resource: '' }],
    ['cut into strings', '"heritage=external-dns,external-" "dns/owner=me"', { owner: 'me', resource: '' }],
    ['without quotes', 'heritage=external-dns,external-dns/owner=me', { owner: 'me', resource: '' }],
    ['of another tool', '"heritage=other,external-dns/owner=me"', undefined],
    ['of another purpose', '"v=spf1 include:example.com ~all"', undefined],
    ['that is empty', '""', undefined],
  ])('%s', (_sentence, value, expected) => {
    expect(heritageOf(value)).toEqual(expected);
  });

  test('what the lifeboat writes reads as its own', () => {
    expect(heritageOf(heritageText('prod-eu'))).toEqual({ owner: ownerOf('prod-eu'), resource: 'lifeboat/prod-eu/api' });
  });
});
