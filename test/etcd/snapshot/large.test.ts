import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashKvOf, inspectSnapshot } from '../../../lambdas/etcd/snapshot';
import { metaPage } from '../../support/bolt-file';
import { branchPage, keyRoot, leafPage } from '../../support/bolt-pages';
import { creations, keyItems } from '../../support/etcd-state';

const PAGE = 4096;
const NO_FREELIST = 0xffff_ffff_ffff_ffffn;
const TRAILER = Buffer.alloc(32, 7);

/**
 * A snapshot file whose key bucket lies on two leaves, the second one behind so many bytes. What lies between is a hole that takes no disk, so
 * the trailer is not the SHA-256 of it: whoever streamed the file has compared that, and tells what it must be.
 */
function sparseFile(path: string, bytes: number): void {
  const last = Math.ceil(bytes / PAGE);
  const [first, second] = [keyItems(creations(20)).slice(0, 10), keyItems(creations(20)).slice(10)] as Parameters<typeof leafPage>[1][];
  const branch = branchPage(3, [
    { key: first![0]!.key, page: 4 },
    { key: second![0]!.key, page: last },
  ]);
  const file = openSync(path, 'w');
  try {
    for (const page of [0, 1]) {
      const meta = { page, pageSize: PAGE, root: 2, freelist: NO_FREELIST, pages: last + 1, transaction: 8 - page };
      writeSync(file, metaPage(meta), 0, PAGE, page * PAGE);
    }
    for (const [page, content] of [
      [2, keyRoot(2, 3)],
      [3, branch],
      [4, leafPage(4, first!)],
      [last, leafPage(last, second!)],
    ] as const) {
      writeSync(file, content, 0, content.length, page * PAGE);
    }
    ftruncateSync(file, (last + 1) * PAGE);
    writeSync(file, TRAILER, 0, TRAILER.length, (last + 1) * PAGE);
  } finally {
    closeSync(file);
  }
}

test.each([
  ['2 GiB, where 32 bits with a sign end', 2 ** 31 + PAGE],
  ['4 GiB, where 32 bits end', 2 ** 32 + PAGE],
  ['8 GiB, the largest that etcd suggests', 2 ** 33],
])('reads pages behind %s (peer failure 26)', async (_what, bytes) => {
  const folder = mkdtempSync(join(tmpdir(), 'large-snapshot-'));
  try {
    const path = join(folder, 'snapshot.db');
    sparseFile(path, bytes);
    const small = join(folder, 'small.db');
    sparseFile(small, 5 * PAGE);

    const report = await inspectSnapshot(path, { expectedSha256Trailer: TRAILER });

    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({ totalKeys: 20, lastEntryRevision: 21, inventory: { pods: 20 } });
    expect(await hashKvOf(path, 21)).toEqual(await hashKvOf(small, 21));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
