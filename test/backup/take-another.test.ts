import type { LiveHashKv } from '../../lambdas/etcd/cluster-view';
import { SnapshotStreamBroken } from '../../lambdas/etcd/errors';
import { waitUntil } from '../../local/child-process';
import { unreachable } from './factories';
import { ID, run, threeMembers, wholeSnapshot, world } from './take-world';
import type { Faults, World } from './take-world';

describe('when the member it took from cannot give a sound file', () => {
  const broken = new SnapshotStreamBroken('the stream ended early');
  const twoBreaks = (w: () => World): Faults => ({
    stream: () => {
      if (w().readFrom.length === 1) throw broken;
      return wholeSnapshot();
    },
  });

  test('another one gives it within the same run', async () => {
    const w: World = world(twoBreaks(() => w));

    const result = await run(w);

    expect(w.readFrom).toEqual(['https://two:2379', 'https://three:2379']);
    expect(w.manifests).toMatchObject([{ verified: true, member: { name: 'three' } }]);
    expect(result).toMatchObject({ verified: true });
    expect(w.events).toContain('another-member');
    expect(w.events).not.toContain('SnapshotFailed');
  });

  test('its own failure is told when there is nobody else', async () => {
    const view = { votingMembers: 3, members: [threeMembers.members[1]!, unreachable('https://one:2379')] };
    const w = world({
      view,
      stream: () => {
        throw broken;
      },
    });

    await expect(run(w)).rejects.toThrow('the stream ended early');

    expect(w.readFrom).toEqual(['https://two:2379']);
  });

  test('what S3 is to blame for is not tried with another member', async () => {
    const w = world({ publish: async () => Promise.reject(new Error('S3 is gone')) });

    await expect(run(w)).rejects.toThrow('S3 is gone');

    expect(w.readFrom).toEqual(['https://two:2379']);
  });
});

test('a run that gave up publishes nothing afterwards, whatever it still waited for', async () => {
  const controller = new AbortController();
  const late = Promise.withResolvers<LiveHashKv>();
  const w = world();
  Object.assign(w.edges.etcd, { hashKv: async () => late.promise });
  const running = run(w, undefined, controller.signal);
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  await expect(running).rejects.toThrow('did not end within the time');

  late.resolve({ hash: 'feedbeef', compactRevision: 100 });
  await waitUntil('the rest has ended', 5_000, async () => w.events.includes('discarded'), 5);

  expect(w.manifests).toEqual([]);
  expect(w.events).not.toContain('SnapshotUnverified');
});

describe('when the member it took from is in the minority (peer failure 34)', () => {
  const ANOTHER = '20261123T182815Z-01020305';
  /** HashKV of a cluster in which `two`, a follower, holds something else: the second file is what the others hold. */
  const twoDiffers = (w: () => World): Faults => ({
    hashKv: (endpoint) => {
      const holdsAsFile = endpoint.includes('two') === (w().readFrom.length === 1);
      return { hash: holdsAsFile ? 'feedbeef' : '00000000', compactRevision: 100 };
    },
  });

  test('that snapshot is kept unverified, and a verified one is taken from the majority', async () => {
    const w: World = world(twoDiffers(() => w));

    const result = await run(w);

    expect(w.readFrom).toEqual(['https://two:2379', 'https://three:2379']);
    expect(w.manifests).toMatchObject([
      { id: ID, verified: false, hashKv: { verdict: 'minority' }, member: { name: 'two' } },
      { id: ANOTHER, verified: true, hashKv: { verdict: 'majority' }, member: { name: 'three' } },
    ]);
    expect(result).toMatchObject({ id: ANOTHER, insteadOf: ID, verified: true, diverged: ['two'] });
    expect(Object.fromEntries(w.diverged)).toEqual({ 'https://one:2379': 0, 'https://two:2379': 1, 'https://three:2379': 0 });
    expect(w.events.filter((event) => event === 'discarded')).toHaveLength(2);
  });

  test('a second snapshot that fails leaves the first one listed, unverified, and the run failed', async () => {
    const w: World = world({
      ...twoDiffers(() => w),
      stream: () => {
        if (w.readFrom.length === 2) throw new Error('connection reset');
        return wholeSnapshot();
      },
    });

    await expect(run(w)).rejects.toThrow('connection reset');

    expect(w.manifests.map(({ id, verified }) => [id, verified])).toEqual([[ID, false]]);
    expect(w.events).toEqual(expect.arrayContaining(['unlocked', 'SnapshotFailed', 'member-diverged']));
  });

  test('nobody is asked for a second one when the others do not agree on anything', async () => {
    const hashes = { one: '11111111', two: 'feedbeef', three: '33333333' };
    const w = world({
      hashKv: (endpoint) => ({ hash: hashes[/\w+(?=:2379)/.exec(endpoint)![0] as keyof typeof hashes], compactRevision: 100 }),
    });

    const result = await run(w);

    expect(w.readFrom).toEqual(['https://two:2379']);
    expect(result).toMatchObject({ id: ID, verified: false, diverged: ['two', 'three', 'one'] });
    expect(result).not.toHaveProperty('insteadOf');
  });

  test('two snapshots are the most that a run takes', async () => {
    const w = world({ hashKv: () => ({ hash: '00000000', compactRevision: 100 }) });

    const result = await run(w);

    expect(w.manifests.map(({ verified }) => verified)).toEqual([false, false]);
    expect(result).toMatchObject({ id: ANOTHER, insteadOf: ID, verified: false, diverged: [] });
  });
});
