import { MAX_RESOURCES } from '../../../lambdas/etcd/snapshot/inventory';
import { PageClaims } from '../../../lambdas/etcd/snapshot/page-claims';
import { ProblemList } from '../../../lambdas/etcd/snapshot/problems';
import { SnapshotFile } from '../../../lambdas/etcd/snapshot/snapshot-file';
import type { BoltItem } from '../../support/bolt-file';
import { boltFile } from '../../support/bolt-file';
import type { PageAt } from '../../support/bolt-pages';
import { branchPage, fileOfPages, keyRoot, leafPage } from '../../support/bolt-pages';
import type { Change } from '../../support/etcd-state';
import { creations, etcdFile, revisionBytes } from '../../support/etcd-state';
import { codesOf, inspectBytes } from '../../support/snapshot-bytes';

// Files that nobody's etcd wrote, made to cost their reader time or memory. What they cost is counted, so that no busy machine matters.

afterEach(() => jest.restoreAllMocks());

/** Bytes that are read from files from now on. */
function countReads(): { bytes: number } {
  const count = { bytes: 0 };
  const original = Object.getOwnPropertyDescriptor(SnapshotFile.prototype, 'readSync')?.value as SnapshotFile['readSync'];
  jest.spyOn(SnapshotFile.prototype, 'readSync').mockImplementation(function (this: SnapshotFile, ...args) {
    const got = original.apply(this, args);
    count.bytes += got;
    return got;
  });
  return count;
}

const value = Buffer.from('v');
/** An entry without a value raises the revision, and needs no more. */
const entry = (n: number) => ({ key: revisionBytes(n), value: Buffer.alloc(0) });

describe('pages that claim the same pages', () => {
  test('are looked at once: a claim that fails leaves no page for the next one to look at again', () => {
    const pages = 2000;
    const problems = new ProblemList();
    const claims = new PageClaims(pages, problems);

    claims.follow(pages - 1);
    for (let page = 2; page < pages - 1; page++) if (claims.follow(page)) claims.extend(page, pages - page);

    // The first claim reaches the last page, and marks all on its way; each other one ends at the page that it begins with.
    expect(problems.kept.slice(0, 3).map(({ page }) => page)).toEqual([pages - 1, 3, 4]);
    expect(problems.count).toBe(pages - 3);
  });

  test('are reported in a file, where each leaf says that it reaches the last one', async () => {
    const leaves = Array.from({ length: 60 }, (_, i) => 5 + i);
    const last = 65;
    const claiming = leaves.map((page) => {
      const bytes = leafPage(page, [entry(page)]);
      bytes.writeUInt32LE(last - page, 12);
      return { page, bytes };
    });
    const children = [{ key: revisionBytes(1), page: last }, ...leaves.map((page) => ({ key: revisionBytes(page), page }))];
    const file = fileOfPages([
      { page: 2, bytes: keyRoot(2, 3) },
      { page: 3, bytes: branchPage(3, children) },
      ...claiming,
      { page: last, bytes: leafPage(last, [entry(1)]) },
    ]);

    expect(codesOf(await inspectBytes(file))).toEqual(['page-used-twice']);
  });
});

test('leaves that many branches list are read for the first one only', async () => {
  const [branches, leaves] = [120, 60];
  const firstLeaf = 4 + branches;
  // So far apart that each leaf is read with a gap of its own.
  const leafAt = (i: number) => firstLeaf + i * 16;
  const children = Array.from({ length: leaves }, (_, i) => ({ key: revisionBytes(i + 1), page: leafAt(i) }));
  const pages: PageAt[] = [
    { page: 2, bytes: keyRoot(2, 3) },
    {
      page: 3,
      bytes: branchPage(
        3,
        Array.from({ length: branches }, (_, i) => ({ key: revisionBytes(i + 1), page: 4 + i })),
      ),
    },
    ...Array.from({ length: branches }, (_, i) => ({ page: 4 + i, bytes: branchPage(4 + i, children) })),
    ...children.map(({ page }, i) => ({ page, bytes: leafPage(page, [entry(i + 1)]) })),
  ];
  const file = fileOfPages(pages);
  const reads = countReads();

  const report = await inspectBytes(file);

  expect(codesOf(report)).toContain('page-used-twice');
  expect(reads.bytes).toBeLessThan(3 * file.length);
});

describe('names of any length', () => {
  test('are cut off in messages, and unprintable ones escaped', async () => {
    const broken = Array.from({ length: 20 }, (_, i) => ({ key: Buffer.alloc(32_000, i), value: Buffer.alloc(3) }));
    const file = boltFile(broken, { perLeaf: 1 });
    // An entry that is a bucket has the flag 1; its three bytes cannot be the header of one.
    for (let page = 2; page * 4096 + 16 < file.length; page++)
      if (file.readUInt16LE(page * 4096 + 8) === 2) file.writeUInt32LE(1, page * 4096 + 16);

    const { problems } = await inspectBytes(file);
    const named = problems.filter(({ code }) => code === 'bucket-damaged');

    expect(named).toHaveLength(20);
    expect(named[7]?.message).toContain(`bucket "${'\\x07'.repeat(80)}"… (32000 bytes) on page`);
    expect(Math.max(...problems.map(({ message }) => message.length))).toBeLessThan(500);
  });

  test('are no resources above 253 bytes, the limit of Kubernetes', async () => {
    const name = (length: number) => 'n'.repeat(length);
    const keys = [name(253), name(254), name(100_000), `example.com/${name(253)}`, `example.com/${name(254)}`, `${name(250)}.com/x`];
    const changes = keys.map((key, i): Change => ({ main: i + 2, key: `/registry/${key}/a`, value }));

    const { inventory, totalKeys } = await inspectBytes(etcdFile(changes));

    expect(inventory).toEqual({ '(other)': 4, [name(253)]: 1, [`${name(253)}.example.com`]: 1 });
    expect(totalKeys).toBe(6);
  });

  test('are remembered up to a number of resources; further ones are counted together', async () => {
    const changes = Array.from({ length: MAX_RESOURCES + 50 }, (_, i): Change => ({ main: i + 2, key: `/registry/r${i}/a`, value }));

    const { inventory, totalKeys } = await inspectBytes(etcdFile(changes, { perLeaf: 60, perBranch: 60 }));

    expect(Object.keys(inventory)).toHaveLength(MAX_RESOURCES + 1);
    expect(inventory['(other)']).toBe(50);
    expect(totalKeys).toBe(changes.length);
  });
});

test('more buckets than etcd will ever have are counted in all trees together, and not read', async () => {
  const buckets = (from: number, inside: BoltItem[]): BoltItem[] =>
    Array.from({ length: 60 }, (_, i) => ({ key: Buffer.from(`x${from + i}`), bucket: i === 0 ? inside : [], inline: i > 0 }));

  const report = await inspectBytes(etcdFile(creations(2), { more: buckets(100, buckets(200, [])) }));

  expect(report.checks).toContainEqual({ name: 'page-tree', passed: false, detail: '24 bucket-damaged' });
  expect(report.problems[0]?.message).toMatch(/bucket number 101, more than the 100 that are read/);
});

describe('more changed keys than are remembered', () => {
  const marks = { scheduled: 5, finished: 5 };

  test('leave the file without HashKV, and say why', async () => {
    const report = await inspectBytes(etcdFile(creations(40), marks), { maxChangedKeys: 35 });

    expect(report).toMatchObject({ problemCount: 0, hashKv: undefined, totalKeys: 40, compactRevision: 5 });
    expect(report.hashKvUnavailable).toMatch(/^more than 35 keys changed after the compaction at 5: /);
    expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
  });

  test('are one more than as many as are remembered', async () => {
    const report = await inspectBytes(etcdFile(creations(40), marks), { maxChangedKeys: 36 });

    expect(report.hashKv).toMatchObject({ revision: 41, compactRevision: 5 });
    expect(report).not.toHaveProperty('hashKvUnavailable');
  });

  test('before a compaction that has only begun are counted as if it had not, which the check says', async () => {
    const changes: Change[] = [...creations(10), { main: 12, key: '/registry/pods/default/p3' }];

    const report = await inspectBytes(etcdFile(changes, { scheduled: 12, finished: 3 }), { maxChangedKeys: 4 });

    expect(report).toMatchObject({ problemCount: 0, totalKeys: 9, inventory: { pods: 9 } });
    expect(report.hashKvUnavailable).toBeDefined();
    expect(report.checks).toContainEqual({
      name: 'revisions',
      passed: true,
      detail: expect.stringContaining('compaction at 12') as string,
    });
  });
});
