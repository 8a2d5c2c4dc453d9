import path from 'node:path';
import { loadSync } from '@grpc/proto-loader';
import type { MethodDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import { SnapshotMessages } from '../../../lambdas/etcd/client/snapshot-messages';

const proto = loadSync(path.join(__dirname, '../../../node_modules/etcd3/proto/rpc.proto'), { keepCase: true, longs: String });
const { responseSerialize } = (proto['etcdserverpb.Maintenance'] as unknown as { Snapshot: MethodDefinition<object, object> }).Snapshot;

/** A message as etcd sends it, encoded by the library that the product does not use here. */
function framed(message: object): Buffer {
  const body = responseSerialize(message);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

function read(chunks: readonly Uint8Array[]): { readonly bytes: Buffer; readonly complete: boolean } {
  const messages = new SnapshotMessages();
  const blobs = chunks.flatMap((chunk) => [...messages.blobsOf(chunk)]);
  return { bytes: Buffer.concat(blobs), complete: messages.complete };
}

const message = fc.record(
  {
    header: fc.record(
      { cluster_id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String), revision: fc.nat().map(String) },
      { requiredKeys: [] },
    ),
    remaining_bytes: fc.bigInt({ min: 0n, max: 2n ** 62n }).map(String),
    blob: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  },
  { requiredKeys: [] },
);

describe('SnapshotMessages', () => {
  test('finds every byte of every blob, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(3000)), (sent, cuts) => {
        const stream = Buffer.concat(sent.map(framed));
        const edges = [0, ...cuts.map((cut) => Math.min(cut, stream.length)).sort((a, b) => a - b), stream.length];
        const chunks = edges.slice(1).map((end, index) => stream.subarray(edges[index], end));

        expect(read(chunks)).toEqual({ bytes: Buffer.concat(sent.map(({ blob }) => blob ?? Buffer.alloc(0))), complete: true });
      }),
    );
  });

  test('knows that a stream which ends inside a message is not whole', () => {
    const stream = framed({ blob: Buffer.alloc(100, 'x') });

    for (let length = 1; length < stream.length; length++) expect(read([stream.subarray(0, length)]).complete).toBe(false);
  });

  test.each<[string, number[], RegExp]>([
    ['a compressed message', [1, 0, 0, 0, 1, 0], /compressed/],
    ['a field of an unknown wire type', [0, 0, 0, 0, 2, 0x1d, 0], /wire type 5/],
    ['a field longer than its message', [0, 0, 0, 0, 3, 0x1a, 9, 0], /a field of 9 bytes in a message that has 1 left/],
    ['a number longer than ten bytes', [0, 0, 0, 0, 12, ...Array<number>(12).fill(0xff)], /longer than ten bytes/],
    ['a message that ends inside a number', [0, 0, 0, 0, 1, 0x80], /inside a number/],
    ['a message that ends after a tag', [0, 0, 0, 0, 1, 0x1a], /inside a field/],
  ])('refuses %s', (_what, bytes, message) => {
    expect(() => read([Uint8Array.from(bytes)])).toThrow(message);
  });

  test('random bytes end in its own error or in silence, never in anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          read([bytes]);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
