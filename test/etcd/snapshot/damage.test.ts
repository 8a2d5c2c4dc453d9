import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { metaPage, resealed, sealMeta } from '../../support/bolt-file';
import { creations, etcdFile } from '../../support/etcd-state';
import { codesOf, inspectBytes } from '../../support/snapshot-bytes';

// Hundreds of files are written and read: a busy machine takes longer than Jest's five seconds.
jest.setTimeout(60_000);

const PAGE = 4096;
const options = { perLeaf: 4, perBranch: 3, freePages: 5 };
/** A file with everything: branches in two levels, overflow, inline buckets, free pages. */
const whole = etcdFile([...creations(40), { main: 50, key: '/registry/configmaps/a/big', value: Buffer.alloc(9000, 1) }], options);
const pageCount = (whole.length - 32) / PAGE;

/** A copy that is changed, and whose trailer is made right again: only the checks can tell. */
function damaged(change: (file: Buffer) => unknown): Buffer {
  const copy = Buffer.from(whole);
  change(copy);
  return resealed(copy);
}
const flagsOf = (page: number) => whole.readUInt16LE(page * PAGE + 8);
const pagesWith = (flags: number) =>
  Array.from({ length: pageCount }, (_, i) => i).filter(
    (page) => flagsOf(page) === flags && whole.readUIntLE(page * PAGE, 6) === page && page > 1,
  );
const [leaf = 0, secondLeaf = 0] = pagesWith(2);
const [branch = 0] = pagesWith(1);
const [freelist = 0] = pagesWith(16);
const bothMetas = (change: (meta: Buffer) => void) => (file: Buffer) => {
  for (const page of [0, 1]) {
    const meta = file.subarray(page * PAGE, (page + 1) * PAGE);
    change(meta);
    sealMeta(meta);
  }
};
const zeroed = (page: number) => (file: Buffer) => file.fill(0, page * PAGE, (page + 1) * PAGE);

test('the file to be damaged is whole', async () => {
  expect((await inspectBytes(whole)).problems).toEqual([]);
  expect([leaf, secondLeaf, branch, freelist].every((page) => page > 1)).toBe(true);
});

test.each<[string, string, (file: Buffer) => unknown]>([
  ['a meta page is zeroed', 'meta-damaged', zeroed(0)],
  ['the other meta page is zeroed', 'meta-damaged', zeroed(1)],
  ['both meta pages are zeroed', 'file-not-bolt', (file) => file.fill(0, 0, 2 * PAGE)],
  [
    'a meta page is of a much older transaction',
    'meta-stale',
    (file) => sealMeta(bytesOf(file, 1)).writeUInt8(3, 64) && sealMeta(bytesOf(file, 1)),
  ],
  ['a meta page is no meta page by its header', 'page-flags', (file) => file.writeUInt16LE(2, 8)],
  ['the root is no page of the file', 'page-out-of-bounds', bothMetas((meta) => meta.writeBigUInt64LE(0xfffffffffffffn, 32))],
  ['the root is a meta page', 'page-out-of-bounds', bothMetas((meta) => meta.writeBigUInt64LE(1n, 32))],
  ['the page count is absurd', 'file-truncated', bothMetas((meta) => meta.writeBigUInt64LE(0xfffffffffffffffn, 56))],
  ['the page count is one too small', 'file-too-long', bothMetas((meta) => meta.writeBigUInt64LE(BigInt(pageCount - 1), 56))],
  ['the page count is zero', 'page-out-of-bounds', bothMetas((meta) => meta.writeBigUInt64LE(0n, 56))],
  ['the free list is no page of the file', 'freelist-damaged', bothMetas((meta) => meta.writeBigUInt64LE(0xfffffffffffn, 48))],
  ['the free list counts more than it has room for', 'freelist-damaged', (file) => file.writeUInt16LE(0xfffe, freelist * PAGE + 10)],
  [
    'the free list has a huge count of its own',
    'freelist-damaged',
    (file) => file.writeUInt16LE(0xffff, freelist * PAGE + 10) && file.fill(255, freelist * PAGE + 16, freelist * PAGE + 24),
  ],
  ['a page is free twice', 'freelist-damaged', (file) => file.copyWithin(freelist * PAGE + 24, freelist * PAGE + 16, freelist * PAGE + 24)],
  ['a used page is free', 'page-free-but-used', (file) => file.writeBigUInt64LE(BigInt(leaf), freelist * PAGE + 16)],
  ['a page is neither used nor free', 'page-lost', (file) => file.writeUInt16LE(4, freelist * PAGE + 10)],
  ['a leaf is zeroed', 'page-id-mismatch', zeroed(leaf)],
  ['a branch is zeroed', 'page-id-mismatch', zeroed(branch)],
  ['two leaves changed places', 'page-id-mismatch', (file) => swap(file, leaf, secondLeaf)],
  [
    'two leaves changed places and ids',
    'key-range',
    (file) => swap(file, leaf, secondLeaf) && file.writeUInt8(leaf, leaf * PAGE) && file.writeUInt8(secondLeaf, secondLeaf * PAGE),
  ],
  ['a branch is its own first child', 'page-depth', (file) => file.writeBigUInt64LE(BigInt(branch), branch * PAGE + 24)],
  ['a branch is its own second child', 'page-used-twice', (file) => file.writeBigUInt64LE(BigInt(branch), branch * PAGE + 40)],
  ['a child is behind the end', 'page-out-of-bounds', (file) => file.writeBigUInt64LE(1n << 60n, branch * PAGE + 24)],
  ['a branch has no children', 'page-count', (file) => file.writeUInt16LE(0, branch * PAGE + 10)],
  ['a branch counts too many children', 'page-count', (file) => file.writeUInt16LE(0xffff, branch * PAGE + 10)],
  ['a leaf counts too many entries', 'page-count', (file) => file.writeUInt16LE(0xffff, leaf * PAGE + 10)],
  ['a leaf is empty', 'page-count', (file) => file.writeUInt16LE(0, leaf * PAGE + 10)],
  ['the overflow of a page reaches behind the file', 'page-overflow', (file) => file.writeUInt32LE(0xffffffff, leaf * PAGE + 12)],
  ['the overflow of a page takes its neighbour', 'page-used-twice', (file) => file.writeUInt32LE(1, leaf * PAGE + 12)],
  ['a value claims four gigabytes', 'element-bounds', (file) => file.writeUInt32LE(0xffffffff, leaf * PAGE + 28)],
  ['a key claims four gigabytes', 'element-bounds', (file) => file.writeUInt32LE(0xffffffff, leaf * PAGE + 24)],
  ['an entry lies elsewhere', 'element-bounds', (file) => file.writeUInt32LE(0xfffffff0, leaf * PAGE + 20)],
  ['an entry has an unknown kind', 'element-flags', (file) => file.writeUInt32LE(2, leaf * PAGE + 16)],
  ['an entry became a bucket', 'bucket-damaged', (file) => file.writeUInt32LE(1, leaf * PAGE + 16)],
  ['keys of a leaf are out of order', 'key-order', (file) => file.writeUInt8(0xff, leaf * PAGE + 16 + 64 + 7)],
  ['a revision key has another separator', 'revision-key', (file) => file.writeUInt8(0x60, leaf * PAGE + 16 + 64 + 8)],
  ['a value is no KeyValue', 'key-value', (file) => file.writeUInt8(0xff, leaf * PAGE + 16 + 64 + 17)],
])('is reported: %s', async (_what, code, change) => {
  const report = await inspectBytes(damaged(change));

  expect(codesOf(report)).toContain(code);
  expect(report.checks.some(({ passed }) => !passed)).toBe(true);
});

function bytesOf(file: Buffer, page: number): Buffer {
  return file.subarray(page * PAGE, (page + 1) * PAGE);
}
function swap(file: Buffer, a: number, b: number): boolean {
  const kept = Buffer.from(bytesOf(file, a));
  bytesOf(file, b).copy(bytesOf(file, a));
  kept.copy(bytesOf(file, b));
  return true;
}

test.each<[string, Buffer]>([
  ['empty', Buffer.alloc(0)],
  ['one byte long', Buffer.from('x')],
  ['text', Buffer.from('apiVersion: v1\n'.repeat(900))],
  ['zeros', Buffer.alloc(50_000)],
  ['gzip', gzipSync(whole)],
  ['random', Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * i * 7919 + (i >> 3)) & 255))],
])('a file that is %s is no snapshot, and says so', async (_what, bytes) => {
  const report = await inspectBytes(bytes);

  expect(codesOf(report)).toContain('file-not-bolt');
  expect(report).toMatchObject({ pageSize: 0, dbSize: 0, revision: 0, totalKeys: 0, inventory: {}, hashKv: undefined });
});

test('a file of two meta pages alone is reported', async () => {
  const meta = (page: number) => metaPage({ page, pageSize: PAGE, root: 2, freelist: 3n, pages: 4, transaction: 2 - page });

  expect((await inspectBytes(Buffer.concat([meta(0), meta(1)]))).problemCount).toBeGreaterThan(2);
});

test('is reported at whatever length it was cut off', async () => {
  for (let length = whole.length - 1; length > 0; length -= length > whole.length - 64 ? 1 : 1733) {
    const report = await inspectBytes(whole.subarray(0, length));
    expect(report.problemCount).toBeGreaterThan(0);
  }
});

describe('for any damage', () => {
  const at = fc.nat(whole.length - 1);

  test('a single flipped bit anywhere fails the trailer', async () => {
    await fc.assert(
      fc.asyncProperty(at, fc.nat(7), async (position, bit) => {
        const copy = Buffer.from(whole);
        copy[position] = copy[position]! ^ (1 << bit);
        expect(codesOf(await inspectBytes(copy))).toContain('trailer-mismatch');
      }),
      { numRuns: 150 },
    );
  });

  test('random bytes behind a right trailer never make it throw or hang', async () => {
    const header = fc.tuple(fc.nat(pageCount - 1), fc.nat(64)).map(([page, offset]) => page * PAGE + offset);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.oneof(at, header), fc.nat(255)), { minLength: 1, maxLength: 12 }), async (changes) => {
        const report = await inspectBytes(
          damaged((file) => {
            for (const [position, byte] of changes) file[position] = byte;
            for (const page of [0, 1]) sealMeta(bytesOf(file, page));
          }),
        );
        expect(report.checks).toHaveLength(7);
      }),
      { numRuns: 250 },
    );
  });
});

test('without the trailer the checks alone find a flipped bit in every byte of page headers, element tables and main revisions', async () => {
  const missed: number[] = [];
  const table = 16 + 4 * 16;
  for (let offset = 0; offset < table + 8; offset++) {
    const report = await inspectBytes(
      damaged((file) => file.writeUInt8(file.readUInt8(leaf * PAGE + offset) ^ (1 << (offset % 8)), leaf * PAGE + offset)),
      { hashKv: false },
    );
    if (report.problemCount === 0) missed.push(offset);
  }

  // What users wrote, sub revisions and the unused end of a page are left to the trailer.
  expect(missed).toEqual([]);
});

test.each([
  ['neighbours on a page', { perLeaf: 4 }, ['key 1 of page']],
  [
    'the last of a page and the first of the next',
    { perLeaf: 1 },
    ['key 1 of branch page', 'the pages before reach above', 'key 0 of page'],
  ],
])('is reported: equal keys, %s', async (_where, options_, messages) => {
  const twice = { key: Buffer.from('same'), value: Buffer.from('x') };
  const more = [{ key: Buffer.from('zoo'), bucket: [twice, twice] }];

  const report = await inspectBytes(etcdFile([], { ...options_, more }));

  expect(report.problems.map(({ message }) => message)).toEqual(messages.map((part) => expect.stringContaining(part) as string));
});

describe('the accounting of pages', () => {
  const accounting = async (file: Buffer) => (await inspectBytes(file)).checks.find(({ name }) => name === 'page-accounting');

  test('says of a file with a free list that every page was accounted for', async () => {
    expect(await accounting(whole)).toEqual({
      name: 'page-accounting',
      passed: true,
      detail: 'every page is either used once or free once',
    });
  });

  test('says of a file without one what could not be checked', async () => {
    expect(await accounting(etcdFile(creations(40)))).toEqual({
      name: 'page-accounting',
      passed: true,
      detail: 'no page is used twice; the database keeps no free list, so that lost pages cannot be told from free ones',
    });
  });

  test('does not pass where pages were not reached, free list or not', async () => {
    const file = etcdFile(creations(40));
    const at =
      Array.from({ length: file.length >> 12 }, (_, i) => i).find((page) => page > 1 && file.readUInt16LE(page * PAGE + 8) === 1) ?? 0;
    file.writeUInt16LE(7, at * PAGE + 8);

    expect(await accounting(resealed(file))).toMatchObject({ passed: false, detail: 'pages below damaged ones were not reached' });
  });

  test('does not pass where nothing could be read at all', async () => {
    expect(await accounting(Buffer.alloc(50_000))).toMatchObject({ passed: false, detail: 'not checked: neither meta page is valid' });
  });
});
