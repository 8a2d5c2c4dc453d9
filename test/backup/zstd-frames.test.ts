import { crc32, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { BlockPool, StoredTally, blocksOf, frameOf, holdBackLast, inOrder } from '../../lambdas/backup/zstd-frames';

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

describe('blocksOf', () => {
  test('regroups any chunks into equal blocks and loses no byte', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 })), fc.integer({ min: 1, max: 40 }), async (chunks, size) => {
        const pool = new BlockPool(size);
        const blocks: Buffer[] = [];
        for await (const block of blocksOf(from(chunks), pool)) {
          blocks.push(Buffer.from(block));
          pool.give(block);
        }

        expect(Buffer.concat(blocks)).toEqual(Buffer.concat(chunks));
        expect(blocks.slice(0, -1).every((block) => block.length === size)).toBe(true);
        expect(blocks.every((block) => block.length > 0)).toBe(true);
      }),
    );
  });
});

describe('frameOf', () => {
  test('each frame decompresses by itself to its own block', async () => {
    const blocks = [Buffer.alloc(5000, 'a'), Buffer.alloc(700, 'b')];
    const frames = await collect(inOrder(from(blocks), (block) => frameOf(block, 3)));

    expect(frames.map(({ stored }) => zstdDecompressSync(stored))).toEqual(blocks);
    expect(frames.map(({ plainBytes }) => plainBytes)).toEqual([5000, 700]);
  });

  test('each frame carries a checksum, so a flipped bit in it is noticed', async () => {
    const { stored } = await frameOf(Buffer.from('control plane '.repeat(1000)), 3);
    const last = stored.length - 1;
    stored.writeUInt8(stored.readUInt8(last) ^ 1, last);

    expect(() => zstdDecompressSync(stored)).toThrow();
  });
});

describe('inOrder', () => {
  test('keeps the order although later items may be ready first', async () => {
    const resolvers = new Map<number, () => void>();
    const work = (n: number) => new Promise<number>((resolve) => resolvers.set(n, () => resolve(n)));
    const all = collect(inOrder(from([1, 2, 3]), work));
    while (resolvers.size < 3) await new Promise(setImmediate);

    for (const n of [3, 1, 2]) resolvers.get(n)?.();

    expect(await all).toEqual([1, 2, 3]);
  });

  test('fails with the first failure and waits for what still runs', async () => {
    let finished = false;
    const work = async (n: number) => {
      if (n === 1) throw new Error('no');
      await new Promise(setImmediate);
      finished = true;
    };

    await expect(collect(inOrder(from([1, 2, 3]), work))).rejects.toThrow('no');
    expect(finished).toBe(true);
  });
});

describe('holdBackLast', () => {
  test('lets the last item go only after the gate', async () => {
    const seen: (string | number)[] = [];
    for await (const item of holdBackLast(from([1, 2, 3]), async () => void seen.push('gate'))) seen.push(item);

    expect(seen).toEqual([1, 2, 'gate', 3]);
  });

  test('the last item never leaves when the gate refuses', async () => {
    const seen: number[] = [];
    const run = async () => {
      for await (const item of holdBackLast(from([1, 2]), () => Promise.reject(new Error('damaged')))) seen.push(item);
    };

    await expect(run()).rejects.toThrow('damaged');
    expect(seen).toEqual([1]);
  });
});

describe('StoredTally', () => {
  test('knows the CRC-32 of the whole from its parts', () => {
    const tally = new StoredTally();
    const frames = ['control', 'plane'].map((text) => ({ plainBytes: 99, stored: Buffer.from(text) }));
    frames.forEach((frame) => tally.add(frame));

    expect(tally.crc32).toBe(crc32('controlplane').toString(16).padStart(8, '0'));
    expect(tally.frames).toEqual([
      [99, 7],
      [99, 5],
    ]);
  });
});
