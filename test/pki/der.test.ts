import fc from 'fast-check';
import { NotDer, octetsOf, oidOf, readDer, valuesIn } from '../../lambdas/pki/der';
import { bitString, integer, octetString, oid, sequence, setOf } from '../../lambdas/pki/write-der';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

test('what is written is read again, of whatever length', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 700 })), (contents) => {
      const values = valuesIn(readDer(sequence(...contents.map((bytes) => octetString(Buffer.from(bytes))))).contents);

      expect(values.map((value) => [...value.contents])).toEqual(contents.map((bytes) => [...bytes]));
    }),
  );
});

test('object identifiers are read as they are written', () => {
  const arcs = fc.array(fc.nat(0x7fffffff), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.constantFrom(0, 1, 2), fc.nat(39), arcs, (root, second, rest) => {
      const dotted = [root, second, ...rest].join('.');

      expect(oidOf(readDer(oid(dotted)).contents)).toBe(dotted);
    }),
  );
});

test('the octets of a bit string are those behind its count of unused bits', () => {
  expect(octetsOf(readDer(bitString(Buffer.of(1, 2))))).toEqual(Buffer.of(1, 2));
  expect(() => octetsOf(readDer(bitString(Buffer.of(0x80), 3)))).toThrow(/unused bits/);
});

test.each([
  ['nothing', ''],
  ['a tag alone', '30'],
  ['less than its length tells', '30 03 02 01'],
  ['more than its length tells', '02 01 01 00'],
  ['a length in more bytes than it needs', '04 81 01 00'],
  ['a length with a zero before it', `04 82 00 80 ${'00'.repeat(128)}`],
  ['a length that is told by an end', '30 80 02 01 01 00 00'],
  ['a length of five bytes', '04 85 01 00 00 00 00'],
  ['a tag of several bytes', '1f 81 01 00'],
])('%s is not DER', (_sentence, text) => {
  expect(() => readDer(hex(text))).toThrow(NotDer);
});

test.each([
  ['empty', ''],
  ['cut inside a number', '2a 86'],
])('an object identifier that is %s is not DER', (_sentence, text) => {
  expect(() => oidOf(hex(text))).toThrow(NotDer);
});

test('a value of another kind is not taken', () => {
  expect(() => readDer(setOf(integer(Buffer.of(1))), 0x30)).toThrow(/has tag 49 where 48 belongs/);
});
