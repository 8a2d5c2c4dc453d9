import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { codesOf, inspectBytes } from '../../support/snapshot-bytes';

const real = (line: string) => gunzipSync(readFileSync(join(__dirname, `../../fixtures/snapshots/etcd-${line}.db.gz`)));

// Saved by `etcdctl snapshot save` from single members with the same history of puts, deletes and a compaction; the figures are those of
// `etcdutl snapshot status` 3.6 and `etcdctl endpoint hashkv`.
test.each([
  ['3.5', '4325ec17', 122_880],
  ['3.6', 'facd6971', 106_496],
])('a snapshot saved from etcd %s is whole and tells what etcd told', async (line, statusHash, dbSize) => {
  const report = await inspectBytes(real(line));

  expect(report.problems).toEqual([]);
  expect(report).toMatchObject({ statusHash, dbSize, revision: 179, compactRevision: 80, totalKeys: 74 });
  expect(report.hashKv).toEqual({ revision: 179, compactRevision: 80, hash: 'c46e6ee4' });
  expect(report.inventory).toEqual({ pods: 59, services: 15 });
});

test.each(['3.5', '3.6'])('no flipped bit in a snapshot of etcd %s goes unnoticed', async (line) => {
  const whole = real(line);

  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(7), async (position, bit) => {
      const copy = Buffer.from(whole);
      copy[position] = copy[position]! ^ (1 << bit);
      expect(codesOf(await inspectBytes(copy))).toContain('trailer-mismatch');
    }),
    { numRuns: 40 },
  );
});
