import fc from 'fast-check';
import { CrcMemory, crcText } from '../../../lambdas/etcd/snapshot/crc32c';

/** The definition, bit by bit. */
function crc32cByBits(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

test('gives the check value of the CRC catalogue', () => {
  const memory = new CrcMemory(64, 1);
  memory.bytes.write('123456789');
  const crc = memory.running();

  crc.update(0, 9);

  expect(crcText(crc.value())).toBe('e3069283');
});

test('of nothing is zero', () => {
  expect(new CrcMemory(64, 1).running().value()).toBe(0);
});

test('is the CRC of the pieces put together, wherever they lie and however long they are', () => {
  const memory = new CrcMemory(40_000, 60);
  for (let i = 0; i < memory.bytes.length; i++) memory.bytes[i] = (i * i * 31 + (i >>> 3)) & 255;
  const piece = fc.tuple(fc.nat(20_000), fc.oneof(fc.nat(40), fc.nat(20_000)));

  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const crc = memory.running();
      for (const [start, length] of pieces) crc.update(start, start + length);
      expect(crc.value()).toBe(crc32cByBits(Buffer.concat(pieces.map(([start, length]) => memory.bytes.subarray(start, start + length)))));
    }),
    { numRuns: 40, endOnFailure: true },
  );
});

test('may be asked in the middle and goes on, also over more bytes than are kept', () => {
  const memory = new CrcMemory(100_000, 1);
  memory.bytes.fill('etcd');
  const crc = memory.running();

  for (const times of [1, 2, 3, 4]) {
    crc.update(0, 100_000);
    expect(crc.value()).toBe(crc32cByBits(Buffer.alloc(100_000 * times, 'etcd')));
  }
});

test('keeps several running hashes of one memory apart', () => {
  const memory = new CrcMemory(64, 2);
  memory.bytes.write('123456789');
  const [one, two] = [memory.running(), memory.running()];

  one.update(0, 4);
  two.update(0, 9);
  one.update(4, 9);

  expect([one.value(), two.value()]).toEqual([0xe3069283, 0xe3069283]);
  expect(() => memory.running()).toThrow('2 running CRCs');
});
