import { createHash } from 'node:crypto';
import { reachable, unreachable } from './factories';
import { ID, database, report, run, snapshot, world } from './take-world';
import type { Faults } from './take-world';

/** Another member is asked for a snapshot when these are what was wrong with the first. */
const ANOTHERS_TURN = new Set(['SnapshotDamaged', 'SnapshotTruncated', 'SnapshotStreamBroken']);

describe('takeSnapshot', () => {
  test('checks before it stores, publishes after, and cleans up last', async () => {
    const w = world();

    const result = await run(w);

    expect(w.events.filter((event) => !/^([A-Z]|asked)/.test(event))).toEqual([
      'spooled',
      'inspected',
      'stored',
      'published',
      `noted ${ID}`,
      'discarded',
      'unlocked',
    ]);
    expect(result).toMatchObject({
      id: ID,
      verified: true,
      revision: 900,
      statusHash: '12345678',
      because: '3 of 3 voting members hold the same data',
    });
    expect(w.manifests).toEqual([
      expect.objectContaining({
        id: ID,
        lineage: 'c0ffee',
        trigger: 'manual',
        note: 'before upgrade',
        verified: true,
        plainSha256: createHash('sha256').update(snapshot).digest('hex'),
        plainBytes: snapshot.length,
        inventory: { pods: 7 },
      }),
    ]);
  });

  test('the manifest names the generations of the PKI by which the cluster lives', async () => {
    const eras = { cluster: { issuing: 'a'.repeat(64), trusted: ['a'.repeat(64), 'b'.repeat(64)] } };
    const w = world({ eras });

    await run(w);

    expect(w.manifests[0]?.pkiGenerations).toEqual(eras);
  });

  test('the members hash while the file is judged', async () => {
    const w = world();

    await run(w);

    expect(w.events.indexOf('asked https://two:2379')).toBeLessThan(w.events.indexOf('inspected'));
  });

  test.each<[string, Faults, string]>([
    ['is judged all the same, and asked for afterwards', {}, 'published'],
    [
      'is told by its damage',
      { report: report({ problems: [{ code: 'file-not-bolt', message: 'no meta page is valid' }], problemCount: 1, hashKv: undefined }) },
      'no meta page is valid',
    ],
  ])('a file that does not tell its revision at once %s', async (_what, faults, outcome) => {
    const w = world({ ...faults, positionOf: () => Promise.reject(new Error('input/output error')) });

    const told = await run(w).then(
      ({ verified }) => (verified ? 'published' : 'not verified'),
      (error: unknown) => (error as Error).message,
    );

    expect(told).toContain(outcome);
    expect(w.events.includes('asked https://two:2379')).toBe(outcome === 'published');
  });

  test('locks the object from the start of the run on, and the manifest says so', async () => {
    const w = world();

    await run(w);

    const lock = { mode: 'governance', until: '2026-11-30T18:28:15.000Z' };
    expect(w.locks).toEqual([lock]);
    expect(w.manifests[0]?.lock).toEqual(lock);
  });

  test('the frame index adds up to the stored object and the plain file', async () => {
    const w = world();

    await run(w);

    const { frames, bytes } = w.manifests[0]!.stored;
    expect(frames.length).toBe(3);
    expect(frames.reduce((sum, [plain]) => sum + plain, 0)).toBe(snapshot.length);
    expect(frames.reduce((sum, [, stored]) => sum + stored, 0)).toBe(bytes);
    expect(w.stored?.length).toBe(bytes);
  });

  test.each<[string, Faults, string, RegExp]>([
    ['another run holds the lock', { locked: true }, 'BackupInProgress', /request other-run is taking a snapshot of prod/],
    [
      'no member answers',
      { view: { votingMembers: 0, members: [unreachable('https://one:2379')] } },
      'EtcdUnreachable',
      /connection refused/,
    ],
    [
      'TLS is refused',
      {
        view: {
          votingMembers: 0,
          members: [unreachable('https://one:2379', 'tls', 'the server certificate expired'), unreachable('https://two:2379')],
        },
      },
      'EtcdTlsRefused',
      /the server certificate expired/,
    ],
    [
      'the endpoints belong to two clusters',
      {
        view: {
          votingMembers: 3,
          members: [reachable('https://one:2379'), reachable('https://two:2379', { clusterId: 'beef', raftAppliedIndex: 900_000 })],
        },
      },
      'EndpointsDisagree',
      /https:\/\/one:2379 to c0ffee, https:\/\/two:2379 to beef/,
    ],
    [
      'all who answer are unfit',
      { view: { votingMembers: 1, members: [reachable('https://one:2379', { alarms: ['CORRUPT'] })] } },
      'NoHealthyMember',
      /CORRUPT/,
    ],
    [
      'the stream breaks half way',
      {
        stream: async function* () {
          yield snapshot.subarray(0, 6_000_000);
          throw new Error('connection reset');
        },
      },
      'Error',
      /connection reset/,
    ],
    [
      'the stream ends without its trailer',
      {
        stream: async function* () {
          yield database;
        },
      },
      'SnapshotTruncated',
      /without the SHA-256/,
    ],
    ['the disk is full', { spoolWrite: () => Promise.reject(new Error('no room')) }, 'Error', /no room/],
    [
      'a page is damaged',
      { report: report({ problems: [{ code: 'page-id-mismatch', page: 7, message: 'page 7 says it is page 8' }], problemCount: 1 }) },
      'SnapshotDamaged',
      /1 problems, first page-id-mismatch: page 7 says it is page 8/,
    ],
    ['S3 holds other bytes than were sent', { storedCrc: '00000000' }, 'StoredBytesDiffer', /CRC-32 00000000/],
    ['the manifest cannot be written', { publish: () => Promise.reject(new Error('denied')) }, 'Error', /denied/],
  ])('lists nothing and leaves nothing behind when %s', async (_sentence, faults, name, message) => {
    const w = world(faults);

    await expect(run(w)).rejects.toThrow(expect.objectContaining({ name, message: expect.stringMatching(message) as string }) as Error);

    expect(w.manifests).toEqual([]);
    expect(w.events).toEqual(expect.arrayContaining(['SnapshotFailed', 'snapshot-failed']));
    const opened = !['BackupInProgress', 'EndpointsDisagree', 'EtcdUnreachable', 'EtcdTlsRefused', 'NoHealthyMember'].includes(name);
    expect(w.events.filter((event) => event === 'discarded')).toHaveLength(opened ? (ANOTHERS_TURN.has(name) ? 2 : 1) : 0);
    expect(w.events.includes('unlocked')).toBe(name !== 'BackupInProgress');
  });

  test.each(['the stream breaks', 'a page is damaged'])('S3 never gets the whole of a bad file: %s', async (what) => {
    const w = world(
      what === 'a page is damaged'
        ? { report: report({ problems: [{ code: 'page-id-mismatch', message: 'x' }], problemCount: 1 }) }
        : {
            stream: async function* () {
              yield snapshot.subarray(0, 5_000_000);
              throw new Error('reset');
            },
          },
    );

    await expect(run(w)).rejects.toThrow();

    expect(w.stored).toBeUndefined();
  });

  test.each<[string, Faults, string]>([
    ['succeeded', {}, 'published'],
    ['failed', { publish: () => Promise.reject(new Error('denied')) }, 'denied'],
  ])('a lock that cannot be released does not change that a run %s', async (_outcome, faults, expected) => {
    const w = world({ ...faults, release: () => Promise.reject(new Error('S3 is gone')) });

    const outcome = await run(w).then(
      () => 'published',
      (error: unknown) => (error as Error).message,
    );

    expect(outcome).toBe(expected);
    expect(w.events).toContain('lock-not-released');
  });

  test('ends itself when its time is nearly over, with no upload open and the lock released', async () => {
    const time = new AbortController();
    const w = world({
      stream: async function* () {
        yield snapshot.subarray(0, 5_000_000);
        time.abort();
        await new Promise(() => undefined); // whoever waits here has lost
      },
      abortStaleUploads: async () => Number(time.signal.aborted),
    });

    await expect(run(w, undefined, time.signal)).rejects.toThrow(expect.objectContaining({ name: 'BackupOutOfTime' }) as Error);

    expect(w.manifests).toEqual([]);
    expect(w.events).toEqual(expect.arrayContaining(['stale-uploads-aborted', 'unlocked', 'SnapshotFailed']));
  });

  test('a sound file with too many changed keys to hash is kept, but never called verified', async () => {
    const w = world({ report: report({ hashKv: undefined, hashKvUnavailable: 'too many keys changed' }) });

    const result = await run(w);

    expect(result).toMatchObject({ verified: false, because: 'too many keys changed' });
    expect(w.manifests[0]).toMatchObject({ verified: false, hashKv: { verdict: 'unknown', members: [] } });
  });

  test('a sound file without a hash and without a reason is refused', async () => {
    await expect(run(world({ report: report({ hashKv: undefined }) }))).rejects.toThrow(/its HashKV cannot be computed/);
  });

  test('housekeeping that fails does not stop a backup', async () => {
    const w = world({ abortStaleUploads: () => Promise.reject(new Error('denied')) });

    await run(w);

    expect(w.events).toEqual(expect.arrayContaining(['stale-uploads-not-aborted', 'published']));
  });

  test('refuses a database that is larger than configured before it reads a byte', async () => {
    const w = world({ stream: () => { throw new Error('must not be opened'); } }); // prettier-ignore

    await expect(run(w, 1_000)).rejects.toThrow(/etcd's database is 100000 bytes, more than the 1000/);
  });

  test('a database that grew past the limit while it streamed ends the run', async () => {
    await expect(run(world(), 5_000_000)).rejects.toThrow(/larger than 5000000 bytes/);
  });

  test.each<[string, Faults, boolean, string]>([
    [
      'a member that differs is told of, and the majority still counts',
      { hashKv: (e) => ({ hash: e.includes('three') ? '00000000' : 'feedbeef', compactRevision: 100 }) },
      true,
      'majority',
    ],
    [
      'the majority holds something else',
      { hashKv: (e) => ({ hash: e.includes('one') ? 'feedbeef' : '00000000', compactRevision: 100 }) },
      false,
      'minority',
    ],
    [
      'the cluster compacted since: the file is hashed under that compaction',
      { hashKv: () => ({ hash: 'c0ffee00', compactRevision: 500 }) },
      true,
      'majority',
    ],
    [
      'the cluster compacted past the file: nobody can say',
      { hashKv: () => ({ hash: 'c0ffee00', compactRevision: 901 }) },
      false,
      'unknown',
    ],
    [
      'a follower that has not applied the revision yet is asked again',
      {
        hashKv: (_e, attempt) => {
          if (attempt < 3) throw new Error('etcdserver: mvcc: required revision is a future revision');
          return { hash: 'feedbeef', compactRevision: 100 };
        },
      },
      true,
      'majority',
    ],
    [
      'members that fail to answer are no voices',
      {
        hashKv: () => {
          throw new Error('deadline exceeded');
        },
      },
      false,
      'unknown',
    ],
  ])('%s', async (_sentence, faults, verified, verdict) => {
    const w = world(faults);

    await run(w);

    expect(w.manifests[0]).toMatchObject({ verified, hashKv: { verdict } });
    expect(w.events).toContain(verified ? 'SnapshotVerified' : 'SnapshotUnverified');
    expect(w.events).toContain(verified ? 'SnapshotUnverified: 0' : 'SnapshotVerified: 0');
  });
});
