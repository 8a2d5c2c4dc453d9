import { createCipheriv, createHash } from 'node:crypto';
import { StoreFailed } from '../../lambdas/aws/errors';
import { plainBlocks } from '../../lambdas/restore/plain-blocks';
import type { StoredSnapshot } from './stored-snapshot';
import { ID, PretendSource, storedFile, storedSnapshot } from './stored-snapshot';

const MIB = 1024 * 1024;

let stored: StoredSnapshot;
let source: PretendSource;
let events: string[];
let waits: number[];
let stop: AbortController;
beforeEach(async () => {
  stored = await storedSnapshot([4000, 5000, 6000, 700]);
  source = new PretendSource(stored.object);
  [events, waits, stop] = [[], [], new AbortController()];
});

function blocksOf({ manifest } = stored): AsyncGenerator<Buffer> {
  const note = (event: string) => void events.push(event);
  const telemetry = { log: note, warn: note, count: () => undefined };
  const wait = async (milliseconds: number) => void waits.push(milliseconds);
  return plainBlocks({ source, telemetry, wait, signal: stop.signal }, manifest);
}

async function read(from = stored): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of blocksOf(from)) blocks.push(block);
  return Buffer.concat(blocks);
}

/** A file of so many frames that do not compress, in S3. */
async function storeNoise(frames: number): Promise<void> {
  const key = createHash('sha256').update('noise').digest();
  const noise = (n: number) => createCipheriv('aes-256-ctr', key, Buffer.alloc(16, n)).update(Buffer.alloc(3 * MIB));
  stored = await storedFile(Array.from({ length: frames }, (_, n) => noise(n)));
  source = new PretendSource(stored.object);
}

const frameStarts = () => {
  let at = 0;
  return stored.manifest.stored.frames.map(([, bytes]) => (at += bytes) - bytes);
};

describe('plainBlocks', () => {
  test('gives the file as it was, and asks for neighbours at once', async () => {
    expect(await read()).toEqual(stored.plain);
    expect(source.requests).toEqual([{ start: 0, bytes: stored.object.length }]);
  });

  test('asks for a large object in requests that meet without a gap, none beyond 8 MiB', async () => {
    await storeNoise(6);

    expect((await read()).equals(stored.plain)).toBe(true);

    expect(source.requests.length).toBeGreaterThan(1);
    expect(Math.max(...source.requests.map(({ bytes }) => bytes))).toBeLessThanOrEqual(8 * MIB);
    const ends = source.requests.map(({ start, bytes }) => start + bytes);
    expect(source.requests.map(({ start }) => start)).toEqual([0, ...ends.slice(0, -1)]);
    expect(ends.at(-1)).toBe(stored.object.length);
  });

  test('reads no further ahead than some groups, however large the file and slow the reader', async () => {
    await storeNoise(24);
    let read = 0;
    let ahead = 0;

    for await (const block of blocksOf()) {
      // Whatever is to be read ahead now is asked for before the reader goes on.
      for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
      const asked = source.requests.reduce((sum, { bytes }) => sum + bytes, 0);
      ahead = Math.max(ahead, asked - read);
      read += block.length;
    }

    expect(read).toBe(stored.plain.length);
    // Four groups of 8 MiB at most on their way, and one that is being unpacked.
    expect(ahead).toBeLessThanOrEqual(40 * MIB);
  }, 30_000);

  test('reads on from the last whole frame when a body breaks off, after a wait', async () => {
    const [, , third] = frameStarts();
    source.answer = (request, number) => (number === 1 ? source.broken(request, third! + 3) : source.whole(request));

    expect(await read()).toEqual(stored.plain);
    expect(source.requests[1]).toEqual({ start: third, bytes: stored.object.length - third! });
    expect(events).toEqual(['read-broke-off']);
    expect(waits).toEqual([200]);
  });

  test('does not read a frame again whose last byte was the last to come', async () => {
    const [, , third] = frameStarts();
    source.answer = (request, number) => (number === 1 ? source.broken(request, third!) : source.whole(request));

    expect(await read()).toEqual(stored.plain);
    expect(source.requests[1]?.start).toBe(third);
  });

  test('takes a body that ends early without an error for one that broke off', async () => {
    source.answer = (request, number) => source.whole(number === 1 ? { ...request, bytes: 10 } : request);

    expect(await read()).toEqual(stored.plain);
    expect(source.requests[1]?.start).toBe(0);
  });

  test('gives up after five broken bodies, with what broke the last', async () => {
    source.answer = (request) => source.broken(request, 1);

    await expect(read()).rejects.toMatchObject({
      name: 'SnapshotReadBroken',
      message: `S3 broke off 5 times, at last at byte 1 of ${ID} (aborted): run it again`,
    });
    expect(source.requests).toHaveLength(5);
    expect(waits).toEqual([200, 400, 800, 1600]);
  });

  test('does not ask again what S3 refused', async () => {
    source.answer = () => {
      throw new StoreFailed('cannot read: AccessDenied');
    };

    await expect(read()).rejects.toMatchObject({ name: 'StoreFailed' });
    expect(source.requests).toHaveLength(1);
  });

  test('reads a frame again that was damaged on its way', async () => {
    const [, second] = frameStarts();
    source.answer = (request, number) => {
      const answer = new PretendSource(Buffer.from(source.object));
      if (number === 1) answer.object[second! + 20]! ^= 1;
      return answer.whole(request);
    };

    expect(await read()).toEqual(stored.plain);
    expect(source.requests[1]).toEqual({ start: second, bytes: stored.manifest.stored.frames[1]![1] });
    expect(events).toEqual(['frame-read-again']);
  });

  test('says which frame is damaged in its place', async () => {
    const [, , , last] = frameStarts();
    source.object = Buffer.from(source.object);
    source.object[last! + 12]! ^= 1;

    await expect(read()).rejects.toMatchObject({
      name: 'StoredSnapshotDamaged',
      message: expect.stringContaining(`the frame at byte ${last} of ${ID} does not decompress, also when it is read again`) as string,
    });
  });

  test('refuses bytes that decompress and are not those that were stored', async () => {
    const other = await storedSnapshot([4000, 5000, 6000, 700]);
    const forged = { ...stored, manifest: { ...stored.manifest, stored: { ...other.manifest.stored, crc32: '0badf00d' } } };

    await expect(read(forged)).rejects.toMatchObject({
      name: 'StoredSnapshotDamaged',
      message: `the stored bytes of ${ID} have CRC-32 ${stored.manifest.stored.crc32}, the manifest says 0badf00d`,
    });
  });

  test('refuses a frame that holds less than the manifest says', async () => {
    const frames = stored.manifest.stored.frames.map(([plain, bytes]): [number, number] => [plain, bytes]);
    frames[0]![0] += 1;
    const short = { ...stored.manifest, plainBytes: stored.plain.length + 1, stored: { ...stored.manifest.stored, frames } };

    await expect(read({ ...stored, manifest: short })).rejects.toThrow(/the frame holds 4000 bytes, 4001 were stored/);
  });

  test.each<[string, [number, number][], RegExp]>([
    ['that do not add up', [[10, 10]], /frames of 10 stored and 10 plain bytes, but an object of \d+ and a file of 15700/],
    ['that would fill the memory', [[1e9, 1000]], /a frame of 1000 stored and 1000000000 plain bytes/],
    ['of nothing', [[0, 5]], /a frame of 5 stored and 0 plain bytes/],
  ])('refuses a manifest of frames %s, before it reads anything', async (_what, frames, message) => {
    const wrong = { ...stored.manifest, stored: { ...stored.manifest.stored, frames } };

    const failure = read({ ...stored, manifest: wrong });

    await expect(failure).rejects.toMatchObject({ name: 'ManifestDamaged', message: expect.stringMatching(message) as string });
    expect(source.requests).toEqual([]);
  });

  test('refuses frames that make up the object and not the file', async () => {
    await expect(read({ ...stored, manifest: { ...stored.manifest, plainBytes: 15_699 } })).rejects.toMatchObject({
      name: 'ManifestDamaged',
    });
    expect(source.requests).toEqual([]);
  });

  test('ends when the time of the function is nearly over', async () => {
    source.answer = async function* () {
      yield Buffer.alloc(1);
      stop.abort();
      throw new Error('aborted');
    };

    await expect(read()).rejects.toMatchObject({ name: 'RestoreOutOfTime' });
    expect(source.requests).toHaveLength(1);
  });
});
