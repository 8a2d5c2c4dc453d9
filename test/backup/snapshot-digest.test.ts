import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { SnapshotDigest } from '../../lambdas/backup/snapshot-digest';
import { TRAILER_BYTES } from '../../lambdas/etcd/snapshot';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
const withTrailer = (database: Uint8Array) => Buffer.concat([database, sha256(database)]);
const digestOf = (...chunks: Uint8Array[]) => {
  const digest = new SnapshotDigest();
  for (const chunk of chunks) digest.update(chunk);
  return digest;
};

describe('SnapshotDigest', () => {
  const database = Buffer.alloc(8192, 'etcd');
  const snapshot = withTrailer(database);

  test('gives the same digests however the stream was cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: snapshot.length })), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), snapshot.length];
        const chunks = edges.slice(1).map((end, index) => snapshot.subarray(edges[index], end));

        expect(digestOf(...chunks).finish()).toEqual({
          plainBytes: 8192 + TRAILER_BYTES,
          plainSha256: sha256(snapshot).toString('hex'),
          databaseSha256: sha256(database).toString('hex'),
        });
      }),
    );
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['an empty stream', Buffer.alloc(0), /empty snapshot/],
    ['a stream without the trailer', database, /without the SHA-256 that etcd appends/],
    ['a stream cut inside the trailer', snapshot.subarray(0, snapshot.length - 1), /without the SHA-256/],
    ['a stream cut at a page plus 32 bytes', snapshot.subarray(0, 4096 + 32), /but its 4096 bytes hash to/],
    ['a stream shorter than a trailer', Buffer.alloc(7), /without the SHA-256/],
  ])('refuses %s', (_what, bytes, message) => {
    const digest = digestOf(bytes);

    expect(() => digest.finish()).toThrow(
      expect.objectContaining({ name: 'SnapshotTruncated', message: expect.stringMatching(message) as string }) as Error,
    );
  });

  test('no single flipped bit gets past the trailer', () => {
    fc.assert(
      fc.property(fc.nat(snapshot.length * 8 - 1), (bit) => {
        const flipped = Buffer.from(snapshot);
        flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);

        expect(() => digestOf(flipped).finish()).toThrow(/trailer says/);
      }),
    );
  });
});
