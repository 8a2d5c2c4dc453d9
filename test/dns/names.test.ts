import fc from 'fast-check';
import { heritageOf, heritageText, isSealed, ownerOf } from '../../lambdas/dns/ownership';
import { heritageNames, isWithin, namesAbove, normalName, ownershipName, sameName } from '../../lambdas/dns/record-name';

describe('names', () => {
  test.each([
    ['API.K8s.Example.COM.', 'api.k8s.example.com'],
    ['\\052.example.com.', '*.example.com'],
    ['\\101pi.example.com', 'api.example.com'],
    ['\\a\\pi.example.com', 'api.example.com'],
    ['bücher.example.com', 'xn--bcher-kva.example.com'],
    ['BÜCHER.example.com.', 'xn--bcher-kva.example.com'],
    ['_acme.example.com', '_acme.example.com'],
    ['a\\056b.example.com', 'a\\056b.example.com'],
    ['a\\.b.example.com', 'a\\056b.example.com'],
    ['a\\040b.example.com', 'a\\040b.example.com'],
    ['a@b.example.com', 'a\\100b.example.com'],
    ['.', ''],
  ])('%s is %s', (name, normal) => {
    expect(normalName(name)).toBe(normal);
    expect(sameName(name, `${normal}.`)).toBe(true);
  });

  test('a dot that is escaped separates nothing', () => {
    expect(sameName('a\\056example.com', 'a.example.com')).toBe(false);
    expect(isWithin('api\\056example.com', 'example.com')).toBe(false);
  });

  test('a name is made normal once and for all, in whatever case and escapes it was written', () => {
    const label = fc.stringMatching(/^[a-z0-9_-]{1,8}$/);
    const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
    const octal = (letter: string) => `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}`;
    fc.assert(
      fc.property(name, fc.infiniteStream(fc.integer({ min: 0, max: 2 })), (plain, spelling) => {
        const spelt = Array.from(plain, (letter) => {
          if (letter === '.') return letter;
          return [letter, letter.toUpperCase(), octal(letter.toUpperCase())][spelling.next().value as number];
        });

        expect(normalName(`${spelt.join('')}.`)).toBe(plain);
      }),
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), (any) => {
        fc.pre(!normalName(any).endsWith('.'));
        expect(normalName(normalName(any))).toBe(normalName(any));
      }),
    );
  });

  test.each([
    ['api.example.com', 'example.com.', true],
    ['example.com', 'example.com', true],
    ['api.badexample.com', 'example.com', false],
    ['example.com', 'api.example.com', false],
  ])('%s in the zone %s: %s', (name, zone, within) => {
    expect(isWithin(name, zone)).toBe(within);
  });

  test('the names above one end below its zone', () => {
    expect(namesAbove('api.eu.k8s.example.com', 'example.com.')).toEqual(['eu.k8s.example.com', 'k8s.example.com']);
    expect(namesAbove('api.example.com', 'example.com')).toEqual([]);
    expect(namesAbove('example.com', 'example.com')).toEqual([]);
    expect(namesAbove('api.example.org', 'example.com')).toEqual([]);
  });
});

describe('where ownership is noted', () => {
  const long = (length: number) => 'x'.repeat(length);
  const total = (length: number) => `${long(50)}.${long(50)}.${long(50)}.${long(50)}.${long(length - 204)}`;

  test.each<[string, string, 'A' | 'AAAA', string, string]>([
    ['in a name of its own', 'API.example.com', 'AAAA', 'example.com.', 'aaaa-api.example.com'],
    ['in the name itself, when it is the name of the zone', 'api.example.com', 'A', 'API.example.com.', 'api.example.com'],
    ['beside a name whose label leaves room', `${long(61)}.example.com`, 'A', 'example.com', `a-${long(61)}.example.com`],
    ['in the name itself, when the label leaves none', `${long(62)}.example.com`, 'A', 'example.com', `${long(62)}.example.com`],
    ['each type by itself', `${long(59)}.example.com`, 'AAAA', 'example.com', `${long(59)}.example.com`],
    ['beside the longest name that leaves room', total(251), 'A', long(47), `a-${total(251)}`],
    ['in the name itself, when the whole is too long', total(252), 'A', long(48), total(252)],
    ['in the name itself, for a wildcard', '\\052.example.com', 'A', 'example.com', '*.example.com'],
  ])('%s', (_sentence, name, type, zone, expected) => {
    expect(ownershipName(name, type, zone)).toBe(expected);
  });

  test('it is looked for wherever external-dns ever put it', () => {
    expect(heritageNames('api.example.com')).toEqual([
      'api.example.com',
      'a-api.example.com',
      'aaaa-api.example.com',
      'cname-api.example.com',
    ]);
  });

  test('and not in names that are none', () => {
    expect(heritageNames(`${long(60)}.example.com`)).toEqual([`${long(60)}.example.com`, `a-${long(60)}.example.com`]);
    expect(heritageNames('*.example.com')).toEqual(['*.example.com']);
  });

  test('whatever the name, it is one of those, in the zone, and no longer than a name may be', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,63}$/);
    const name = fc
      .array(label, { minLength: 1, maxLength: 4 })
      .map((labels) => labels.join('.'))
      .filter((text) => text.length <= 253);
    fc.assert(
      fc.property(name, fc.nat(3), fc.constantFrom('A' as const, 'AAAA' as const), (own, from, type) => {
        const zone = own.split('.').slice(from).join('.') || own;
        const noted = ownershipName(own, type, zone);

        expect(heritageNames(own)).toContain(noted);
        expect(isWithin(noted, zone)).toBe(true);
        expect(noted.length).toBeLessThanOrEqual(253);
        for (const part of noted.split('.')) expect(part.length).toBeLessThanOrEqual(63);
      }),
    );
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
    ['with octets in octal', '"heritage\\075external-dns,external-dns/owner=me"', { owner: 'me', resource: '' }],
    ['that names nobody', '"heritage=external-dns"', { owner: '', resource: '' }],
    ['of another tool', '"heritage=other,external-dns/owner=me"', undefined],
    ['of another purpose', '"v=spf1 include:example.com ~all"', undefined],
    ['that is empty', '""', undefined],
  ])('%s', (_sentence, value, expected) => {
    expect(heritageOf(value)).toEqual(expected);
  });

  test('what the lifeboat writes reads as its own, and fits into one string of the longest cluster name', () => {
    const longest = 'c'.repeat(63);

    expect(heritageOf(heritageText('prod-eu'))).toEqual({ owner: ownerOf('prod-eu'), resource: 'lifeboat/prod-eu/api' });
    expect(heritageText(longest).length - 2).toBeLessThanOrEqual(255);
  });

  test('what the lifeboat writes reads as another’s for external-dns, by its own rules', () => {
    // endpoint/labels.go, NewLabelsFromStringPlain: quotes off, split at commas, tokens of exactly one "=".
    const labels = heritageText('prod-eu')
      .replaceAll(/^"|"$/g, '')
      .split(',')
      .map((token) => token.split('='))
      .filter((parts) => parts.length === 2);

    expect(labels).toEqual([
      ['heritage', 'external-dns'],
      ['external-dns/owner', 'kube-lifeboat/prod-eu'],
      ['external-dns/resource', 'lifeboat/prod-eu/api'],
    ]);
  });

  test.each<[string, string, boolean]>([
    ['a claim that external-dns sealed', `"${Buffer.alloc(120, 0xa5).toString('base64')}"`, true],
    ['one that is cut into strings', `"${'q'.repeat(100)}" "${'q'.repeat(60)}"`, true],
    ['a claim in the open', heritageText('prod'), false],
    ['a text of another purpose', '"v=spf1 include:example.com ~all"', false],
    ['a token by which somebody proves that a name is his', '"MS=ms12345678"', false],
    ['a short one', '"c2hvcnQ="', false],
  ])('%s is unreadable: %s', (_sentence, value, sealed) => {
    expect(isSealed(value)).toBe(sealed);
  });
});
