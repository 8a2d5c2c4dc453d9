import { createHash } from 'node:crypto';
import type { SnapshotReport } from '../../lambdas/etcd/snapshot';
import type { Manifest } from '../../lambdas/contract/manifest';
import { Metric } from '../../lambdas/contract/metrics';
import { manifestKey, snapshotKey } from '../../lambdas/contract/s3-keys';
import { checkStored } from '../../lambdas/restore/check-stored';
import type { DrillResult } from '../../lambdas/restore/check-stored';
import { NOW, manifest } from '../backup/snapshots';
import { CLUSTER, ID, PretendSource, storedFile } from './stored-snapshot';
import type { StoredSnapshot } from './stored-snapshot';

const OLDER = '20261116T100000Z-00000002';

let stored: StoredSnapshot;
let source: PretendSource;
let manifests: Map<string, string>;
let report: SnapshotReport;
let metrics: Record<string, number>;
let spooled: { name: string; bytes: number; discarded: boolean }[];
beforeEach(async () => {
  const database = Buffer.alloc(8192, 'pages of a database');
  const trailer = createHash('sha256').update(database).digest();
  stored = await storedFile([database.subarray(0, 5000), Buffer.concat([database.subarray(5000), trailer])], {
    inventory: { pods: 2, leases: 1 },
  });
  source = new PretendSource(stored.object);
  manifests = new Map([[ID, JSON.stringify(stored.manifest)]]);
  const { revision, compactRevision, statusHash, totalKeys, dbSize, hashKv } = stored.manifest;
  report = {
    ...{
      problems: [],
      problemCount: 0,
      pageSize: 4096,
      dbSize,
      revision,
      lastEntryRevision: revision,
      compactRevision,
      totalKeys,
      statusHash,
    },
    ...{ inventory: { leases: 1, pods: 2 }, hashKv: { revision, compactRevision, hash: hashKv.hash! }, checks: [] },
  };
  [metrics, spooled] = [{}, []];
});

const run = (snapshotId?: string, maxDbBytes = 10_000): Promise<DrillResult> => {
  let clock = NOW.getTime();
  return checkStored(
    {
      source,
      catalog: {
        list: async () =>
          [...manifests].flatMap(([id, text]) => [
            { key: manifestKey(CLUSTER, id), bytes: text.length, lastModified: NOW },
            { key: snapshotKey(CLUSTER, id), bytes: (JSON.parse(text) as Manifest).stored.bytes, lastModified: NOW },
          ]),
        readManifest: async (id) => manifests.get(id),
      },
      manifests: {
        read: async (id) => ({ text: manifests.get(id) ?? '', etag: '1' }),
        write: async (id, text) => {
          manifests.set(id, text);
          return true;
        },
      },
      disk: {
        open: async (name) => {
          const file = { name, bytes: 0, discarded: false };
          spooled.push(file);
          return {
            path: `/tmp/${name}`,
            write: async (block) => void (file.bytes += block.length),
            finish: async () => undefined,
            discard: async () => void (file.discarded = true),
          };
        },
        inspect: async () => report,
      },
      telemetry: { log: () => undefined, warn: () => undefined, count: (metric, value) => void (metrics[metric] = value) },
      wait: async () => undefined,
      now: () => new Date((clock += 2000)),
      signal: new AbortController().signal,
    },
    { cluster: CLUSTER, maxDbBytes },
    { snapshotId },
    'request-1',
  );
};
const drillsOf = (id: string) => (JSON.parse(manifests.get(id)!) as Manifest).drills;

describe('checkStored', () => {
  test('drills the newest verified snapshot, and writes into its manifest that it passed', async () => {
    manifests.set(OLDER, JSON.stringify(manifest({ id: OLDER, takenAt: '2026-11-16T10:00:00.000Z' })));
    manifests.set('20261116T115000Z-00000003', JSON.stringify(manifest({ id: '20261116T115000Z-00000003', verified: false })));

    const result = await run();

    const drill = { at: '2026-11-16T12:00:02.000Z', kind: 'in-function', passed: true, seconds: 2, by: 'request-1' };
    expect(result).toEqual({ id: ID, ...drill });
    expect(drillsOf(ID)).toEqual([drill]);
    expect(metrics).toEqual({ [Metric.drillPassed]: 1 });
    expect(spooled).toEqual([{ name: `drill-${ID}`, bytes: stored.plain.length, discarded: true }]);
  });

  test('drills the one that is named, also an unverified one', async () => {
    manifests.set(ID, JSON.stringify({ ...stored.manifest, verified: false }));

    expect(await run(ID)).toMatchObject({ id: ID, passed: true });
  });

  test.each<[string, () => void, RegExp]>([
    ['a damaged frame', () => (source.object = flip(source.object, 40)), /the frame at byte 0 of .* does not decompress/],
    ['another revision', () => (report = { ...report, revision: 901 }), /^revision is 901, the manifest says 900$/],
    ['another compaction', () => (report = { ...report, compactRevision: 7 }), /^compaction is 7, the manifest says 100$/],
    ['another status hash', () => (report = { ...report, statusHash: '00000001' }), /^status hash is 00000001/],
    ['other keys', () => (report = { ...report, totalKeys: 41 }), /^number of keys is 41, the manifest says 42$/],
    ['another database size', () => (report = { ...report, dbSize: 1 }), /^database size is 1/],
    [
      'another HashKV',
      () => (report = { ...report, hashKv: { ...report.hashKv!, hash: '00000002' } }),
      /^HashKV is 00000002, the manifest says feedbeef$/,
    ],
    ['no HashKV', () => (report = { ...report, hashKv: undefined }), /^HashKV is none, the manifest says feedbeef$/],
    [
      'another inventory',
      () => (report = { ...report, inventory: { pods: 2 } }),
      /^inventory is pods 2, the manifest says leases 1, pods 2$/,
    ],
    [
      'a damaged page',
      () => (report = { ...report, problems: [{ code: 'page-lost', message: 'page 3' }], problemCount: 4 }),
      /^4 problems, first page-lost: page 3$/,
    ],
  ])('fails by %s, writes that down, and is an answer', async (_what, given, detail) => {
    given();

    expect(await run()).toMatchObject({ id: ID, passed: false, detail: expect.stringMatching(detail) as string });
    expect(drillsOf(ID)).toMatchObject([{ passed: false, detail: expect.stringMatching(detail) as string }]);
    expect(metrics).toEqual({ [Metric.drillPassed]: 0 });
    expect(spooled).toMatchObject([{ discarded: true }]);
  });

  test('fails by a file that is whole by all checksums and has no trailer, since a restore would refuse it', async () => {
    stored = await storedFile([Buffer.alloc(9000, 'no trailer')]);
    manifests.set(ID, JSON.stringify(stored.manifest));
    source.object = stored.object;

    expect(await run()).toMatchObject({ passed: false });
  });

  test('says nothing of a snapshot that it could not read', async () => {
    source.answer = (request) => source.broken(request, 1);

    await expect(run()).rejects.toMatchObject({ name: 'SnapshotReadBroken' });
    expect(drillsOf(ID)).toBeUndefined();
    expect(metrics).toEqual({});
    expect(spooled).toMatchObject([{ discarded: true }]);
  });

  test.each<[string, () => Promise<DrillResult>, string]>([
    ['there is no verified one', () => (manifests.clear(), run()), 'SnapshotNotFound'],
    ['the one that is named is not there', () => run(OLDER), 'SnapshotNotFound'],
    ['it is larger than the disk', () => run(undefined, 8000), 'SnapshotTooLarge'],
  ])('is an error when %s', async (_what, given, name) => {
    await expect(given()).rejects.toMatchObject({ name });
    expect(spooled).toEqual([]);
  });
});

function flip(object: Buffer, at: number): Buffer {
  const copy = Buffer.from(object);
  copy[at]! ^= 1;
  return copy;
}
