import { Manifest } from '../../lambdas/contract/manifest';
import type { Drill } from '../../lambdas/contract/manifest';
import { stampDrill } from '../../lambdas/restore/stamp-drill';
import type { ManifestDocuments } from '../../lambdas/restore/stamp-drill';
import { NOW, manifest } from '../backup/snapshots';
import { ID } from './stored-snapshot';

const drill = (overrides: Partial<Drill> = {}): Drill => ({
  ...{ at: '2026-11-16T11:59:00.000Z', kind: 'restored', passed: true, seconds: 12, by: 'restore-1' },
  ...overrides,
});
const LOCK = { mode: 'governance', until: '2026-11-20T00:00:00.000Z' } as const;

let text: string | undefined;
let etag: number;
let locks: unknown[];
/** What happens at the next writes, in order; afterwards they succeed. */
let writes: ('lost' | 'answer-lost' | 'removed')[];
beforeEach(() => {
  text = JSON.stringify({ ...manifest({ id: ID, lock: LOCK }), ofTomorrow: { kept: true } });
  [etag, locks, writes] = [1, [], []];
});

const manifests: ManifestDocuments = {
  read: async () => (text === undefined ? undefined : { text, etag: String(etag) }),
  write: async (_id, next, over, lock) => {
    const fate = writes.shift();
    if (fate === 'removed') text = undefined;
    if (fate === 'lost') etag++;
    if (text === undefined || String(etag) !== over) return false;
    locks.push(lock);
    [text, etag] = [next, etag + 1];
    return fate !== 'answer-lost';
  },
};
const telemetry = { log: () => undefined, warn: () => undefined, count: () => undefined };
const stamp = (one = drill(), now = NOW) => stampDrill({ manifests, telemetry, now: () => now }, ID, one);
const drills = () => Manifest.parse(JSON.parse(text ?? '')).drills;

describe('stampDrill', () => {
  test('adds the drill and leaves all else as it was, also what this version does not know', async () => {
    const before = JSON.parse(text!) as object;

    await stamp();

    expect(JSON.parse(text!)).toEqual({ ...before, drills: [drill()] });
  });

  test('keeps the newest ten, newest first', async () => {
    const times = Array.from({ length: 12 }, (_, n) => `2026-11-16T10:${String(n).padStart(2, '0')}:00.000Z`);

    for (const [index, at] of times.entries()) await stamp(drill({ at, by: `run-${index}` }));
    // One that began earlier and ended later.
    await stamp(drill({ at: '2026-11-16T10:05:30.000Z', by: 'slow' }));

    expect(drills()?.map(({ by }) => by)).toEqual([
      ...['run-11', 'run-10', 'run-9', 'run-8', 'run-7', 'run-6', 'slow', 'run-5', 'run-4', 'run-3'],
    ]);
  });

  test('locks the new version as long as the first one', async () => {
    await stamp();

    expect(locks).toEqual([LOCK]);
  });

  test.each([
    ['has ended', LOCK.until],
    ['is about to end', '2026-11-19T23:59:30.000Z'],
  ])('locks nothing when the lock %s', async (_what, now) => {
    await stamp(drill(), new Date(now));

    expect(locks).toEqual([undefined]);
  });

  test('reads again when somebody else wrote first', async () => {
    writes = ['lost', 'lost'];

    await stamp();

    expect(drills()).toEqual([drill()]);
  });

  test('stamps once when the answer was lost', async () => {
    writes = ['answer-lost'];

    await stamp();

    expect(drills()).toEqual([drill()]);
    expect(etag).toBe(2);
  });

  test('gives up when others write each time', async () => {
    writes = Array.from({ length: 5 }, () => 'lost' as const);

    await expect(stamp()).rejects.toMatchObject({ name: 'DrillNotRecorded' });
  });

  test('does not bring back what was removed meanwhile', async () => {
    writes = ['removed'];

    await expect(stamp()).rejects.toMatchObject({ name: 'SnapshotNotFound' });
    expect(text).toBeUndefined();
  });

  test.each(['{', '[]', '{"version":1}'])('writes nothing over a manifest that is %s', async (damaged) => {
    text = damaged;

    await expect(stamp()).rejects.toMatchObject({ name: 'ManifestDamaged' });
    expect(text).toBe(damaged);
  });
});
