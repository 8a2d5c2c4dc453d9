import type { ListedObject } from '../../lambdas/backup/catalog';
import { hexOfCrc } from '../../lambdas/backup/zstd-frames';
import { manifestKey, snapshotKey } from '../../lambdas/contract/s3-keys';
import type { Manifest } from '../../lambdas/contract/manifest';
import { materializeSnapshot } from '../../lambdas/restore/materialize-snapshot';
import type { MaterializeEdges, MaterializeResult, PlainFile } from '../../lambdas/restore/materialize-snapshot';
import { crc32 } from 'node:zlib';
import { NOW, manifest } from '../backup/snapshots';
import type { StoredSnapshot } from './stored-snapshot';
import { CLUSTER, ID, PretendSource, storedSnapshot } from './stored-snapshot';

const OTHER = '20261116T100000Z-00000002';
/** Its object is of another size than its manifest says. */
const HOLLOW = '20261116T105800Z-00000005';
/** A restore took it before it began. */
const SAFETY = '20261116T105700Z-00000006';

let stored: StoredSnapshot;
let source: PretendSource;
let manifests: Map<string, string>;
/** What S3 holds, by restore. */
let files: Map<string, PlainFile & { readonly content: Buffer }>;
let onList: () => void;
/** What S3 says of what it was given. */
let crcOf: (content: Buffer) => string;
beforeEach(async () => {
  stored = await storedSnapshot([4000, 5000, 6000]);
  source = new PretendSource(stored.object);
  manifests = new Map([[ID, JSON.stringify(stored.manifest)]]);
  files = new Map();
  onList = () => undefined;
  crcOf = (content) => hexOfCrc(crc32(content));
});

const list = (overrides: Partial<Manifest> & Pick<Manifest, 'id'>) => manifests.set(overrides.id, JSON.stringify(manifest(overrides)));

function edges(): MaterializeEdges {
  let clock = NOW.getTime();
  return {
    source,
    catalog: {
      list: async () => {
        onList();
        return [...manifests.keys()].flatMap((id): ListedObject[] => [
          { key: manifestKey(CLUSTER, id), bytes: 1, lastModified: NOW },
          { key: snapshotKey(CLUSTER, id), bytes: id === HOLLOW ? 1 : 1000, lastModified: NOW },
        ]);
      },
      readManifest: async (id) => manifests.get(id),
    },
    files: {
      urlOf: (restoreId) => `s3://bucket/${restoreId}`,
      find: async (restoreId) => files.get(restoreId),
      store: async (restoreId, sha256, body) => {
        const blocks: Buffer[] = [];
        for await (const block of body) blocks.push(block);
        const content = Buffer.concat(blocks);
        files.set(restoreId, { bytes: content.length, sha256, content });
        return { bytes: content.length, crc32: crcOf(content) };
      },
    },
    telemetry: { log: () => undefined, warn: () => undefined, count: () => undefined },
    wait: async () => undefined,
    now: () => new Date((clock += 1500)),
    signal: new AbortController().signal,
  };
}

const run = (allowUnverified = false): Promise<MaterializeResult> =>
  materializeSnapshot(edges(), CLUSTER, { restoreId: 'restore-1', snapshotId: ID, allowUnverified });

describe('materializeSnapshot', () => {
  test('stores the plain file and says where, how large and with which checksum', async () => {
    expect(await run()).toEqual({
      url: 's3://bucket/restore-1',
      bytes: stored.plain.length,
      sha256: stored.manifest.plainSha256,
      was: 'made',
      seconds: 1.5,
    });
    expect(files.get('restore-1')?.content).toEqual(stored.plain);
  });

  test('leaves a file that is there as it is, and reads nothing', async () => {
    await run();
    source.requests.length = 0;

    expect(await run()).toMatchObject({ was: 'there', sha256: stored.manifest.plainSha256 });
    expect(source.requests).toEqual([]);
  });

  test.each<[string, (there: PlainFile) => PlainFile]>([
    ['of another size', (there) => ({ ...there, bytes: there.bytes - 1 })],
    ['of another snapshot', (there) => ({ ...there, sha256: 'f'.repeat(64) })],
    ['that nobody vouches for', (there) => ({ ...there, sha256: '' })],
  ])('makes one anew that is %s', async (_what, change) => {
    await run();
    const there = files.get('restore-1')!;
    files.set('restore-1', { ...change(there), content: Buffer.alloc(0) });

    expect(await run()).toMatchObject({ was: 'made' });
    expect(files.get('restore-1')).toMatchObject({ bytes: stored.plain.length, content: stored.plain });
  });

  test.each<[string, Partial<Manifest>, RegExp]>([
    [
      'SHA-256',
      { plainSha256: '1'.repeat(64) },
      /decompresses to 15000 bytes with SHA-256 [0-9a-f]{64}, the manifest says 15000 and 1{64}/,
    ],
    ['stored bytes', {}, /the stored bytes of .* have CRC-32/],
  ])('stores nothing when the %s are not those of the manifest, and says what to try instead', async (what, overrides, message) => {
    const crc = what === 'stored bytes' ? { stored: { ...stored.manifest.stored, crc32: '0badf00d' } } : {};
    manifests.set(ID, JSON.stringify({ ...stored.manifest, ...overrides, ...crc }));
    list({ id: OTHER, takenAt: '2026-11-16T10:00:00.000Z' });
    list({ id: '20261116T090000Z-00000003', takenAt: '2026-11-16T09:00:00.000Z' });
    list({ id: '20261116T105900Z-00000004', takenAt: '2026-11-16T10:59:00.000Z', verified: false });
    list({ id: SAFETY, takenAt: '2026-11-16T10:57:00.000Z', trigger: 'pre-restore' });
    list({ id: HOLLOW, takenAt: '2026-11-16T10:58:00.000Z' });

    const failure = run();

    await expect(failure).rejects.toMatchObject({ name: 'StoredSnapshotDamaged', message: expect.stringMatching(message) as string });
    await expect(failure).rejects.toThrow(`Nothing was stored; try ${OTHER}, the newest other verified one`);
    expect(files.size).toBe(0);
  });

  test.each<[string, () => void, RegExp]>([
    ['there is no other', () => undefined, /no other verified one is listed: look for an earlier version of the object, or in the replica/],
    [
      'the only other one is what a restore took before it began',
      () => list({ id: SAFETY, takenAt: '2026-11-16T10:57:00.000Z', trigger: 'pre-restore' }),
      new RegExp(`no other verified one is listed but ${SAFETY}, which a restore took before it began, of the state that somebody wanted`),
    ],
    [
      'S3 does not list them',
      () => {
        onList = () => {
          throw new Error('no listing today');
        };
      },
      /which one to try instead cannot be said \(no listing today\)/,
    ],
  ])('tells of the damage also when %s', async (_what, given, message) => {
    given();
    source.object = Buffer.from(source.object);
    source.object[30]! ^= 1;

    await expect(run()).rejects.toMatchObject({ name: 'StoredSnapshotDamaged', message: expect.stringMatching(message) as string });
  });

  test('does not believe that S3 holds what it was sent', async () => {
    crcOf = () => '0badf00d';

    await expect(run()).rejects.toMatchObject({
      name: 'StoredBytesDiffer',
      message: expect.stringMatching(/S3 holds 15000 bytes with CRC-32 0badf00d at s3:.*: delete that object/) as string,
    });
  });

  test.each<[string, string, () => void, RegExp]>([
    ['that is not listed', 'SnapshotNotFound', () => manifests.clear(), /has no manifest: list those of prod/],
    ['whose manifest is damaged', 'ManifestDamaged', () => manifests.set(ID, '{"version":1}'), /does not parse: id, cluster/],
    ['whose manifest is no JSON', 'ManifestDamaged', () => manifests.set(ID, '{'), /does not parse: the whole of it/],
    [
      'of another cluster',
      'SnapshotOfOtherCluster',
      () => manifests.set(ID, JSON.stringify({ ...stored.manifest, cluster: 'prod-eu' })),
      /says that it is of prod-eu/,
    ],
    [
      'of another id',
      'SnapshotOfOtherCluster',
      () => manifests.set(ID, JSON.stringify({ ...stored.manifest, id: OTHER })),
      new RegExp(`says that it is of prod ${OTHER}`),
    ],
    [
      'that no majority confirmed',
      'SnapshotNotVerified',
      () => manifests.set(ID, JSON.stringify({ ...stored.manifest, verified: false })),
      /or allow it by "allowUnverified": true/,
    ],
  ])('refuses a snapshot %s', async (_what, name, given, message) => {
    given();

    await expect(run()).rejects.toMatchObject({ name, message: expect.stringMatching(message) as string });
    expect(source.requests).toEqual([]);
    expect(files.size).toBe(0);
  });

  test('takes one that no majority confirmed when it is allowed', async () => {
    manifests.set(ID, JSON.stringify({ ...stored.manifest, verified: false }));

    expect(await run(true)).toMatchObject({ was: 'made' });
  });
});
