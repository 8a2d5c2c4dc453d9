import { createHash } from 'node:crypto';
import {
  MAX_KEPT_PROBLEMS,
  SnapshotFileError,
  SnapshotUnreadable,
  hashKvOf,
  inspectSnapshot,
  positionOf,
} from '../../../lambdas/etcd/snapshot';
import { boltFile } from '../../support/bolt-file';
import type { Change } from '../../support/etcd-state';
import { creations, etcdBuckets, etcdFile, keyItems } from '../../support/etcd-state';
import { asFile, codesOf, inspectBytes } from '../../support/snapshot-bytes';

const passed = { passed: true };

test.each([
  ['one leaf', creations(3), {}],
  ['three levels of branches', creations(300), { perLeaf: 3, perBranch: 3 }],
  ['overflow pages', creations(12, 9000), {}],
  ['leaves longer than what is read at once', creations(4, 700_000), { perLeaf: 2 }],
  ['a key bucket that lies inline', [], {}],
  ['pages of 8 KiB', creations(40), { pageSize: 8192 }],
  ['pages of 64 KiB', creations(40), { pageSize: 65_536 }],
  ['an empty free list', creations(40), { freePages: 0 }],
  ['free pages', creations(40), { freePages: 7 }],
  ['a free list that is longer than a page', creations(10), { freePages: 600 }],
  ['the format of large free lists', creations(10), { freePages: 9, largeFreelist: true }],
])('finds nothing wrong with a file with %s', async (_what, changes, options) => {
  const report = await inspectBytes(etcdFile(changes, options));

  expect(report.problems).toEqual([]);
  expect(report.checks.map(({ passed: ok }) => ({ passed: ok }))).toEqual(Array(7).fill(passed));
  expect(report.totalKeys).toBe(changes.length);
  expect(report.lastEntryRevision).toBe(changes.at(-1)?.main ?? 0);
});

test.each([
  ['a history', creations(300), { perLeaf: 3, perBranch: 3 }],
  ['a history that was compacted', creations(40), { scheduled: 20, finished: 20 }],
  ['a compaction that has only begun', creations(40), { scheduled: 30, finished: 20 }],
  ['a store that was emptied', [], { scheduled: 50, finished: 50 }],
  ['nothing at all', [], {}],
])('tells the revision and compaction of %s from a few pages', async (_what, changes, options) => {
  const file = etcdFile(changes, options);
  const { revision, compactRevision } = await inspectBytes(file);

  expect(await asFile(file, positionOf)).toEqual({ revision, compactRevision });
});

test('tells no revision of a file without a valid meta page', async () => {
  await expect(asFile(Buffer.alloc(20_000), positionOf)).rejects.toThrow(/has no valid meta page/);
});

test('judges buckets inside buckets, of which etcd has none', async () => {
  const more = [
    {
      key: Buffer.from('zoo'),
      bucket: [
        { key: Buffer.from('inner'), bucket: keyItems(creations(30)) },
        { key: Buffer.from('plain'), value: Buffer.from('x') },
      ],
    },
  ];

  expect((await inspectBytes(etcdFile(creations(5), { more, freePages: 0 }))).problems).toEqual([]);
});

test('tells the facts of a small history', async () => {
  const changes: Change[] = [
    { main: 2, key: '/registry/pods/a/one', value: Buffer.from('1') },
    { main: 3, key: '/registry/minions/n', value: Buffer.from('1') },
    { main: 3, sub: 1, key: 'mine', value: Buffer.from('1') },
    { main: 4, key: '/registry/pods/a/one', value: Buffer.from('2'), created: 2, version: 2 },
    { main: 5, key: '/registry/minions/n' },
    { main: 6, key: '/registry/example.com/widgets/a/b', value: Buffer.from('1') },
    { main: 7, key: '/registry/minions/n', value: Buffer.from('again') },
  ];

  const report = await inspectBytes(etcdFile(changes));

  expect(report).toMatchObject({ revision: 7, lastEntryRevision: 7, compactRevision: -1, totalKeys: 4, pageSize: 4096, problemCount: 0 });
  expect(report.inventory).toEqual({ '(other)': 1, nodes: 1, pods: 1, 'widgets.example.com': 1 });
  expect(report.hashKv).toMatchObject({ revision: 7, compactRevision: -1 });
});

test('counts right while a compaction has removed some old entries and others not', async () => {
  const rest: Change[] = [
    { main: 4, key: '/registry/pods/a/updated', value: Buffer.from('2'), created: 2, version: 2 },
    { main: 5, key: '/registry/pods/a/deleted' },
    { main: 6, key: '/registry/pods/a/later', value: Buffer.from('1') },
    { main: 7, key: '/registry/pods/a/later', value: Buffer.from('2'), created: 6, version: 2 },
    { main: 9, key: '/registry/pods/a/later' },
    { main: 10, key: '/registry/pods/a/new', value: Buffer.from('1') },
  ];

  const report = await inspectBytes(etcdFile(rest, { scheduled: 8 }));

  expect(report.inventory).toEqual({ pods: 2 });
  expect(report.totalKeys).toBe(2);
});

test('takes a bump of the revision for what it is', async () => {
  const bumped = boltFile(
    etcdBuckets(creations(3)).map((bucket) =>
      bucket.key.toString() === 'key' && 'bucket' in bucket
        ? {
            ...bucket,
            bucket: [...bucket.bucket, { key: keyItems([{ main: 1_000_000, key: 'x' }])[0]!.key.subarray(0, 17), value: Buffer.alloc(0) }],
          }
        : bucket,
    ),
  );

  const report = await inspectBytes(bumped);

  expect(report).toMatchObject({ problemCount: 0, revision: 1_000_000, totalKeys: 4, inventory: { pods: 3 } });
});

test('does not read the file for a digest that the caller has', async () => {
  const file = etcdFile(creations(10));
  const right = createHash('sha256').update(file.subarray(0, -32)).digest();

  expect((await inspectBytes(file, { expectedSha256Trailer: right })).problemCount).toBe(0);
  expect(codesOf(await inspectBytes(file, { expectedSha256Trailer: Buffer.alloc(32) }))).toEqual(['trailer-mismatch']);
});

test('leaves HashKV out when it is not wanted', async () => {
  expect((await inspectBytes(etcdFile(creations(3)), { hashKv: false })).hashKv).toBeUndefined();
});

test('lets others have their turn while it works', async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 0);

  await inspectBytes(etcdFile(creations(40, 500_000)));
  clearInterval(timer);

  expect(turns).toBeGreaterThan(3);
});

test('keeps the first thousand problems and counts the rest', async () => {
  const orphaned = creations(3000).map((change) => ({ ...change, version: 7 }));

  const report = await inspectBytes(etcdFile(orphaned));

  expect(report.problems).toHaveLength(MAX_KEPT_PROBLEMS);
  expect(report.problemCount).toBe(3000);
  expect(report.checks).toContainEqual({ name: 'revisions', passed: false, detail: '3000 revision-mismatch' });
});

test('throws only where there is nothing to read', async () => {
  await expect(inspectSnapshot('/nonexistent/snapshot.db')).rejects.toThrow(SnapshotUnreadable);
  await expect(inspectSnapshot('/')).rejects.toBeInstanceOf(SnapshotFileError);
});

test('refuses points of time that the file cannot know about', async () => {
  await asFile(etcdFile(creations(20), { scheduled: 5, finished: 5 }), async (path) => {
    await expect(hashKvOf(path, 22)).rejects.toThrow('revision 22 is not in 5..21');
    await expect(hashKvOf(path, 4)).rejects.toThrow('revision 4 is not in 5..21');
    await expect(hashKvOf(path, 20, 4)).rejects.toThrow('the file is compacted at 5');
    await expect(hashKvOf(path, 21)).resolves.toEqual((await inspectSnapshot(path)).hashKv);
  });
});
