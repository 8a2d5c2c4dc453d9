import type { ListedObject } from '../../lambdas/backup/catalog';
import { pruneSnapshots } from '../../lambdas/backup/prune-snapshots';
import type { PruneResult, Removal } from '../../lambdas/backup/prune-snapshots';
import type { Manifest } from '../../lambdas/contract/manifest';
import { manifestKey, snapshotKey } from '../../lambdas/contract/s3-keys';
import { NOW, daysBefore, manifest, policy } from './snapshots';

const CLUSTER = 'prod';
const idOf = (n: number) => `20260101T000000Z-${n.toString(16).padStart(8, '0')}`;
const DENIED: Removal = { outcome: 'denied', because: 'AccessDenied: not allowed' };

interface World {
  readonly objects: Map<string, ListedObject & { readonly text?: string }>;
  readonly calls: string[];
  readonly events: string[];
  readonly metrics: Record<string, number>;
  state: string | undefined;
  now: Date;
  locked: boolean;
  onRemove: (id: string, part: string) => Removal;
}

const world = (): World => ({
  ...{ objects: new Map(), calls: [], events: [], metrics: {}, state: undefined, now: NOW, locked: false },
  onRemove: () => ({ outcome: 'removed' }),
});

function put(w: World, key: string, { bytes = 1000, daysOld = 0, text }: { bytes?: number; daysOld?: number; text?: string } = {}): void {
  w.objects.set(key, { key, bytes, lastModified: daysBefore(daysOld), ...(text !== undefined && { text }) });
}

/** A snapshot of so many days ago, with its object and its manifest. */
function store(w: World, n: number, daysOld: number, overrides: Partial<Manifest> = {}): string {
  const id = idOf(n);
  const text = JSON.stringify(manifest({ id, takenAt: daysBefore(daysOld).toISOString(), revision: 10_000 - daysOld, ...overrides }));
  put(w, snapshotKey(CLUSTER, id));
  put(w, manifestKey(CLUSTER, id), { text });
  return id;
}

const run = (w: World, rules = policy()): Promise<PruneResult> =>
  pruneSnapshots(
    {
      catalog: {
        list: async () => [...w.objects.values()],
        readManifest: async (id) => w.objects.get(manifestKey(CLUSTER, id))?.text ?? '',
        remove: async (id, part) => {
          w.calls.push(`${part} ${id}`);
          const removal = w.onRemove(id, part);
          if (removal.outcome === 'removed') w.objects.delete(part === 'manifest' ? manifestKey(CLUSTER, id) : snapshotKey(CLUSTER, id));
          return removal;
        },
        readPruneState: async () => w.state,
        writePruneState: async (text) => {
          w.calls.push('state');
          w.state = text;
        },
      },
      lock: {
        acquire: async () =>
          w.locked
            ? { acquired: false, holder: 'a backup', expiresAt: '2026-11-16T12:10:00.000Z' }
            : { acquired: true, release: async () => void w.events.push('unlocked') },
      },
      telemetry: {
        log: (event) => void w.events.push(event),
        warn: (event) => void w.events.push(event),
        count: (metric, value) => void (w.metrics[metric] = value),
      },
      now: () => w.now,
    },
    { cluster: CLUSTER, policy: rules },
    'request-1',
  );

const counts = (result: PruneResult) => (result.outcome === 'pruned' ? result.counts : undefined);

describe('pruneSnapshots', () => {
  test('removes what the policy rejects, oldest first, and of each the manifest before the object', async () => {
    const w = world();
    const [newest, old, older] = [store(w, 1, 1), store(w, 2, 2), store(w, 3, 3)];

    const result = await run(w);

    expect(w.calls).toEqual([`manifest ${older}`, `object ${older}`, `manifest ${old}`, `object ${old}`]);
    expect([...w.objects.keys()]).toEqual([snapshotKey(CLUSTER, newest), manifestKey(CLUSTER, newest)]);
    expect(result).toMatchObject({
      outcome: 'pruned',
      counts: { kept: 1, removed: 2, denied: 0, waiting: 0, left: 0, swept: 0, damaged: 0 },
      verdicts: [
        { action: 'keep', id: newest, because: 'newest-verified' },
        { action: 'remove', id: old, because: 'superseded' },
        { action: 'remove', id: older, because: 'superseded' },
      ],
    });
    expect(w.metrics).toEqual({
      DrillAge: 3 * 86_400,
      SnapshotsPruned: 2,
      SnapshotRemovalsDenied: 0,
      SnapshotObjectsSwept: 0,
      ManifestsDamaged: 0,
    });
    expect(w.events.at(-1)).toBe('unlocked');
  });

  test('does nothing, without an error, while a backup holds the lock', async () => {
    const w = { ...world(), locked: true };
    store(w, 1, 1);
    store(w, 2, 2);

    expect(await run(w)).toEqual({ outcome: 'skipped', because: 'request a backup holds the lock until 2026-11-16T12:10:00.000Z' });
    expect(w.calls).toEqual([]);
  });

  test('sweeps objects that nothing lists once they are older than a day', async () => {
    const w = world();
    put(w, snapshotKey(CLUSTER, idOf(1)), { daysOld: 1.01 });
    put(w, snapshotKey(CLUSTER, idOf(2)), { daysOld: 0.99 });

    expect(await run(w)).toMatchObject({ counts: { swept: 1, removed: 0 }, swept: [idOf(1)] });
    expect(w.calls).toEqual([`object ${idOf(1)}`]);
  });

  test.each([
    'clusters/prod/snapshots/notes.txt',
    'clusters/prod/snapshots/old/snapshot.db.zst',
    `clusters/prod/snapshots/${idOf(1)}/other`,
    `clusters/prod/snapshots/${idOf(1)}/deeper/snapshot.db.zst`,
    `clusters/prod-eu/snapshots/${idOf(1)}/snapshot.db.zst`,
    `clusters/prod/ledger.json`,
  ])('touches nothing that is not its own: %s', async (key) => {
    const w = world();
    put(w, key, { daysOld: 90 });
    store(w, 7, 1);

    expect(await run(w)).toMatchObject({ counts: { kept: 1, removed: 0, swept: 0, damaged: 0 } });
    expect(w.calls).toEqual([]);
  });

  test.each<[what: string, text: (id: string) => string, because: string]>([
    ['no JSON', () => '{', 'the manifest does not parse: the whole of it'],
    ['of a later version', (id) => JSON.stringify({ ...manifest({ id }), version: 2 }), 'the manifest does not parse: version'],
    ['without a time', (id) => JSON.stringify({ ...manifest({ id }), takenAt: 'noon' }), 'the manifest does not parse: takenAt'],
    ['of another cluster', (id) => JSON.stringify(manifest({ id, cluster: 'dev' })), `the manifest is of dev ${idOf(5)}`],
    ['of another snapshot', () => JSON.stringify(manifest({ id: idOf(6) })), `the manifest is of prod ${idOf(6)}`],
    [
      'of an object of another size',
      (id) => JSON.stringify({ ...manifest({ id }), stored: { ...manifest({ id }).stored, bytes: 7 } }),
      'its object has 1000 bytes, the manifest says 7',
    ],
  ])('reports and keeps a manifest that is %s, and believes nothing of it', async (_what, text, because) => {
    const w = world();
    const old = store(w, 1, 90, { verified: false });
    put(w, snapshotKey(CLUSTER, idOf(5)), { daysOld: 10 });
    put(w, manifestKey(CLUSTER, idOf(5)), { text: text(idOf(5)) });

    const result = await run(w);

    expect(result).toMatchObject({ counts: { damaged: 1, kept: 1, removed: 0, swept: 0 }, damaged: [{ id: idOf(5), because }] });
    expect(result).toMatchObject({ verdicts: [{ id: old, action: 'keep' }] });
    expect(w.calls).toEqual([]);
    expect(w.metrics).toMatchObject({ ManifestsDamaged: 1 });
  });

  test('a listed snapshot whose object is gone supersedes nothing (peer failure 25)', async () => {
    const w = world();
    store(w, 1, 2);
    w.objects.delete(snapshotKey(CLUSTER, store(w, 2, 1)));

    expect(await run(w)).toMatchObject({ counts: { kept: 1, removed: 0, damaged: 1 }, damaged: [{ because: 'its object is missing' }] });
  });

  test('a removal that S3 refuses stops no other, and is tried again after one, two, four days', async () => {
    const w = world();
    const [, refused, other] = [store(w, 1, 1), store(w, 2, 2), store(w, 3, 3)];
    w.onRemove = (id) => (id === refused ? DENIED : { outcome: 'removed' });
    const tries: number[] = [];

    expect(await run(w)).toMatchObject({
      counts: { removed: 1, denied: 1, waiting: 0 },
      denied: [{ id: refused, because: DENIED.because }],
    });
    expect(w.calls).toEqual([`manifest ${other}`, `object ${other}`, `manifest ${refused}`, 'state']);
    const told = new Set([w.metrics['SnapshotRemovalsDenied']]);
    for (let hour = 1; hour <= 24 * 8; hour++) {
      w.now = new Date(NOW.getTime() + hour * 3_600_000);
      if (counts(await run(w))?.denied === 1) tries.push(hour / 24);
      told.add(w.metrics['SnapshotRemovalsDenied']);
    }
    expect(tries).toEqual([1, 3, 7]);
    expect([...told]).toEqual([1]);
  });

  test('an object that S3 refuses after its manifest went is swept when its time comes', async () => {
    const w = world();
    store(w, 1, 1);
    const half = store(w, 2, 2);
    w.onRemove = (_id, part) => (part === 'object' ? DENIED : { outcome: 'removed' });
    await run(w);
    w.onRemove = () => ({ outcome: 'removed' });
    w.now = new Date(NOW.getTime() + 25 * 3_600_000);

    expect(await run(w)).toMatchObject({ counts: { swept: 1, waiting: 0 }, swept: [half] });
    expect(JSON.parse(w.state ?? '')).toEqual({ version: 1, denied: {} });
  });

  test.each(['', '{', '{"version":2}', '[]'])('a memory that reads %p is an empty one', async (state) => {
    const w = { ...world(), state };
    store(w, 1, 1);
    store(w, 2, 2);

    expect(await run(w)).toMatchObject({ counts: { removed: 1 } });
  });

  test('a failure of S3 stops no other removal, and is told at the end', async () => {
    const w = world();
    const [, failing, other] = [store(w, 1, 1), store(w, 3, 3), store(w, 2, 2)];
    w.onRemove = (id) => {
      if (id === failing) throw new Error('503');
      return { outcome: 'removed' };
    };

    await expect(run(w)).rejects.toThrow(`1 removals failed, first ${failing}: 503; the next run tries them again`);
    expect(w.objects.has(manifestKey(CLUSTER, other))).toBe(false);
    expect(w.metrics).toMatchObject({ SnapshotsPruned: 1 });
    expect(w.events.at(-1)).toBe('unlocked');
  });

  test('leaves what is more than a run can remove to the next, the youngest', async () => {
    const w = world();
    store(w, 0, 1);
    for (let n = 1; n <= 1002; n++) store(w, n, 1 + n);

    expect(counts(await run(w))).toMatchObject({ removed: 1000, left: 2 });
    expect(w.objects.has(manifestKey(CLUSTER, idOf(1)))).toBe(true);
    expect(counts(await run(w))).toMatchObject({ removed: 2, left: 0 });
  });
});
