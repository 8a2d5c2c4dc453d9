import fc from 'fast-check';
import { recordOf } from '../../lambdas/ports/server-flight';
import { clientHello } from '../../lambdas/ports/tls-messages';

const RANDOM = Buffer.alloc(32, 0xab);

test('the first message offers TLS 1.2 and nothing newer', () => {
  const hello = clientHello(RANDOM);

  expect(hello.subarray(4, 6).toString('hex')).toBe('0303');
  expect(hello.subarray(6, 38)).toEqual(RANDOM);
  // supported_versions (RFC 8446, 4.2.1)
  expect(extensionsOf(hello).has(43)).toBe(false);
});

test('it carries the name of the server where one is given, and none else', () => {
  const named = extensionsOf(clientHello(RANDOM, 'api.k8s.local'));

  expect(named.get(0)?.toString('latin1').endsWith('api.k8s.local')).toBe(true);
  expect(extensionsOf(clientHello(RANDOM)).has(0)).toBe(false);
});

test('every length in it is that of what follows, whatever the name', () => {
  fc.assert(
    fc.property(fc.option(fc.domain(), { nil: undefined }), (name) => {
      const hello = clientHello(RANDOM, name);
      const record = recordOf(hello);

      expect(hello.readUIntBE(1, 3)).toBe(hello.length - 4);
      expect(record.readUInt16BE(3)).toBe(hello.length);
      expect([...extensionsOf(hello).keys()]).toEqual([...(name === undefined ? [] : [0]), 10, 11, 13, 23]);
    }),
  );
});

/** By their numbers; throws where the message does not end with its last extension. */
function extensionsOf(hello: Buffer): ReadonlyMap<number, Buffer> {
  let at = 4 + 2 + 32;
  at += 1 + hello.readUInt8(at);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + hello.readUInt8(at);
  expect(hello.readUInt16BE(at)).toBe(hello.length - at - 2);
  const found = new Map<number, Buffer>();
  for (at += 2; at < hello.length;) {
    const [type, length] = [hello.readUInt16BE(at), hello.readUInt16BE(at + 2)];
    found.set(type, hello.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  expect(at).toBe(hello.length);
  return found;
}
