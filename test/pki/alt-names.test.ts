import { isIPv4, isIPv6, isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { altNamesOf } from '../../lambdas/pki/alt-names';
import { inspect } from '../../lambdas/pki/inspect';
import { parseIp, printIp } from '../../lambdas/pki/ip-address';
import { issueLeaf } from '../../lambdas/pki/issue';
import { PROFILES } from '../../lambdas/pki/profiles';
import { NOW, authority, inDays, sharedKey } from './pki-world';

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/);
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
// OpenSSL matches no wildcard right below a top-level domain.
const wildcard = name.map((text) => `*.${text}.example`);
const idn = fc
  .array(fc.constantFrom('b', 'ü', 'c', 'h', '日', '本', 'é', 'x', 'ß'), { minLength: 1, maxLength: 8 })
  .map((letters) => domainToASCII(`${letters.join('')}.example`))
  .filter((text) => text !== '');
const san = fc.oneof(name, wildcard, idn, fc.ipV4(), fc.ipV6());

const by = authority('etcd');
const issued = (sans: readonly string[]) => {
  const profile = PROFILES['etcd/server']({ nodeName: 'cp-1', sans });
  return { profile, cert: issueLeaf(by, profile, { notAfter: inDays(90), now: NOW, key: sharedKey('leaf') }).cert };
};

test('whatever names a server has, OpenSSL matches each of them and no other', () => {
  fc.assert(
    fc.property(fc.uniqueArray(san, { maxLength: 12 }), (sans) => {
      const { profile, cert } = issued(sans);
      const x509 = new X509Certificate(cert);

      const { dns, ips } = profile.sans!;
      for (const one of ips) expect(x509.checkIP(one)).toBeDefined();
      for (const one of dns) expect(x509.checkHost(one.replace(/^\*\./, 'some.'))).toBeDefined();
      expect(x509.checkHost('no.such.name.invalid')).toBeUndefined();
      expect(inspect(cert).sans).toEqual(profile.sans);
    }),
    { numRuns: 60 },
  );
});

test('a server may have a hundred names', () => {
  const sans = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? `node-${index}.example.com` : `10.1.2.${index}`));

  expect(inspect(issued(sans).cert).sans.ips).toHaveLength(2 + 50);
});

test('names are sorted by kind and kept once, however often they are written', () => {
  fc.assert(
    fc.property(fc.array(san), (sans) => {
      const once = altNamesOf(sans);

      expect(altNamesOf([...sans, ...sans.map((text) => text.toUpperCase())])).toEqual(once);
      expect(altNamesOf([...once.dns, ...once.ips])).toEqual(once);
    }),
  );
});

test('an address is read as Node reads it, and printed as URLs print it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const bytes = parseIp(text)!;

      expect(bytes).toHaveLength(isIPv4(text) || /^(0*:)*(0*:)?:?(0+:)*ffff:/i.test(text) ? bytes.length : 16);
      expect(parseIp(printIp(bytes))).toEqual(bytes);
      if (isIPv4(text)) expect(printIp(bytes)).toBe(text);
      if (isIPv6(text) && bytes.length === 16) expect(printIp(bytes)).toBe(new URL(`http://[${text}]`).hostname.slice(1, -1));
    }),
  );
});

test('what Node takes for no address is none here', () => {
  const piece = fc.constantFrom('0', '1', '10', '255', '256', '01', 'f', 'fffff', ':', '::', '.', '', 'g', '127.0.0.1', '%eth0', '/24');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');

      // A zone is an address to Node, and can stand in no certificate.
      expect(parseIp(text) !== undefined).toBe(isIP(text) !== 0 && !text.includes('%'));
    }),
    { numRuns: 3000 },
  );
});
