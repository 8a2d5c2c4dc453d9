import fc from 'fast-check';
import { parseBundle, printBundle } from '../../lambdas/pki/bundle';
import { BundleDamaged } from '../../lambdas/pki/errors';
import { inspectAll } from '../../lambdas/pki/inspect';
import { authority, sharedKey } from './pki-world';

const [a, b, c] = [authority('cluster').cert, authority('cluster', 2).cert, authority('etcd').cert];

test('the order written is the order read: many take the first certificate for the signer', () => {
  expect(parseBundle(b + a + c)).toEqual([b, a, c]);
  expect(inspectAll(b + a).map(({ subject }) => subject.commonName?.slice(0, 13))).toEqual(['kubernetes-g2', 'kubernetes-g1']);
});

test('the same certificates give the same bytes, however they are written', () => {
  const untidy = `# the old one\nsubject=CN = kubernetes\n${a.replaceAll('\n', '\r\n')}\n\n${b.trim()}`;

  expect(printBundle([untidy])).toBe(a + b);
  expect(printBundle([a, b])).toBe(a + b);
});

test('a certificate stands once, where it stood first, however often it is given', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(a, b, c), { minLength: 1 }), (texts) => {
      const printed = printBundle(texts);

      expect(parseBundle(printed)).toEqual([...new Set(texts)]);
      expect(printBundle([printed, ...texts])).toBe(printed);
    }),
  );
});

test.each<[string, string, RegExp]>([
  ['nothing', '', /no certificate/],
  ['other text', 'words', /no certificate/],
  ['a private key', a + sharedKey('leaf'), /a RSA PRIVATE KEY as block 2 of 2/],
  ['a block of no base64', a + b.replace('\nM', '\n!') + c, /block 2 of 3 is not base64/],
  [
    'a block that is cut short',
    a + b.replace(/\n[^\n]*\n[^\n]*\n-----END/, '\n-----END'),
    /block 2 of 2 is damaged: OpenSSL cannot read it/,
  ],
  ['an empty block', `${a}-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n`, /block 2 of 2 is not base64/],
  ['a block without end', a + b.replace(/-----END[^\n]*\n/, ''), /block 2 of 2 has no end/],
  ['a block without end before another', a.replace(/-----END[^\n]*\n/, '') + b, /block 1 of 2 has no end/],
  ['an end of another kind', a.replace('END CERTIFICATE', 'END X509 CRL'), /block 1 of 1 ends under another label/],
  ['a block that is indented, which Go skips', a + b.replaceAll(/^/gm, '  '), /block 2 of 2 has other text on the line of its BEGIN/],
  ['two blocks on one line', a.trim() + b, /block 1 of 2 has other text on the line of its END/],
])('a bundle with %s is refused, and the block named', (_sentence, text, message) => {
  const parse = () => parseBundle(text, 'ca.crt');

  expect(parse).toThrow(BundleDamaged);
  expect(parse).toThrow(message);
  expect(parse).toThrow(/^ca\.crt/);
});
