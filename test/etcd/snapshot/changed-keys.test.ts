import fc from 'fast-check';
import { ChangedKeys, UNCHANGED } from '../../../lambdas/etcd/snapshot/changed-keys';
import { HASH_KEY_BYTES, KeyedHash } from '../../../lambdas/etcd/snapshot/keyed-hash';

const KEY = Buffer.from([0, 1, 2, 3, 4, 5, 6, 7]);

function hashOf(hash: KeyedHash, bytes: Buffer): string {
  hash.of(bytes, 0, bytes.length);
  const result = Buffer.alloc(8);
  result.writeInt32LE(hash.low, 0);
  result.writeInt32LE(hash.high, 4);
  return result.toString('hex');
}

// `vectors_hsip64` of the reference implementation: inputs 00, 00 01, 00 01 02, … under the key above.
test.each([
  [0, '218d1f59b9b83cc8'],
  [1, 'be552412f8387315'],
  [2, '064f39ef7c50eb57'],
  [3, 'ce0f1a45f7060679'],
  [4, 'd5e78a175be52ea1'],
  [7, 'ff202728b07bc684'],
  [8, 'edfee820bce4858c'],
  [13, '5a2352d75a0c3744'],
])('HalfSipHash-2-4 of %i bytes is that of its authors', (length, expected) => {
  expect(hashOf(new KeyedHash(KEY), Buffer.from(Array.from({ length }, (_, i) => i)))).toBe(expected);
});

test('the same keys are hashed differently by everyone who is given no key of the hash', () => {
  const bytes = Buffer.from('/registry/pods/default/a');

  expect(hashOf(new KeyedHash(), bytes)).not.toBe(hashOf(new KeyedHash(), bytes));
});

test('the last entry of each changed key is remembered as a map would', () => {
  const change = fc.record({ key: fc.nat(3000), tombstone: fc.boolean() });
  const hashKey = fc.uint8Array({ minLength: HASH_KEY_BYTES, maxLength: HASH_KEY_BYTES });

  fc.assert(
    fc.property(fc.array(change, { maxLength: 5000, size: 'max' }), hashKey, (changes, secret) => {
      const [table, map] = [new ChangedKeys(new KeyedHash(Buffer.from(secret))), new Map<number, number>()];
      for (const [ordinal, { key, tombstone }] of changes.entries()) {
        const bytes = Buffer.from(`/registry/pods/${key}`);
        table.put(bytes, 0, bytes.length, ordinal, tombstone);
        map.set(key, tombstone ? Infinity : ordinal);
      }
      for (let key = 0; key <= 3000; key++) {
        const bytes = Buffer.from(`/registry/pods/${key}`);
        if (table.last(bytes, 0, bytes.length) !== (map.get(key) ?? UNCHANGED)) throw new Error(`key ${key} differs`);
      }
      expect(table.alive).toBe([...map.values()].filter((last) => last !== Infinity).length);
    }),
    { numRuns: 15 },
  );
});

test('a key more than the limit makes it forget all, and take no more memory', () => {
  const table = new ChangedKeys(undefined, 3000);
  const put = (key: number) => {
    const bytes = Buffer.from(`/registry/pods/${key}`);
    table.put(bytes, 0, bytes.length, key, false);
  };

  for (let key = 0; key < 3000; key++) put(key);
  for (let key = 0; key < 3000; key++) put(key);
  expect(table).toMatchObject({ overflowed: false, alive: 3000, bytes: 12 * 4096 });

  for (let key = 3000; key < 9000; key++) put(key);
  expect(table).toMatchObject({ overflowed: true, alive: 0, bytes: 12 * 1024 });
});
