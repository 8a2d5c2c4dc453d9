import type { ListedObject } from '../../lambdas/backup/catalog';
import { watchReplica } from '../../lambdas/backup/watch-replica';
import { manifestKey, snapshotKey } from '../../lambdas/contract/s3-keys';
import { NOW } from './snapshots';

const idOf = (n: number) => `20260101T000000Z-${n.toString(16).padStart(8, '0')}`;
const snapshots = (count: number): ListedObject[] =>
  Array.from({ length: count }, (_, n) => [manifestKey('prod', idOf(n)), snapshotKey('prod', idOf(n))])
    .flat()
    .map((key) => ({ key, bytes: 10, lastModified: new Date(NOW.getTime() - 60_000) }));

function world(here: ListedObject[], there: ListedObject[] | Error) {
  const calls: string[] = [];
  const metrics: Record<string, number> = {};
  const logged: [event: string, fields: unknown][] = [];
  const run = () =>
    watchReplica(
      {
        here: { list: async () => (calls.push('here'), here) },
        there: {
          list: async () => {
            calls.push('there');
            if (there instanceof Error) throw there;
            return there;
          },
        },
        telemetry: {
          log: (event, fields) => void logged.push([event, fields]),
          warn: (event, fields) => void logged.push([event, fields]),
          count: (metric, value) => void (metrics[metric] = value),
        },
        now: () => NOW,
      },
      'prod',
    );
  return { calls, metrics, logged, run };
}

test('says that the replica is whole', async () => {
  const w = world(snapshots(2), snapshots(2));

  expect(await w.run()).toMatchObject({ snapshots: 2, whole: 2 });
  expect(w.metrics).toEqual({ ReplicaBehind: 0, ReplicaMissing: 0 });
  expect(w.logged.map(([event]) => event)).toEqual(['replica-whole']);
});

test('warns of what is missing, counts all of it and names the first', async () => {
  const w = world(snapshots(101), snapshots(1));

  await w.run();

  expect(w.metrics).toEqual({ ReplicaBehind: 60, ReplicaMissing: 100 });
  const [[event, fields] = []] = w.logged;
  expect(event).toBe('replica-incomplete');
  expect(fields).toMatchObject({ snapshots: 101, whole: 1, behind: { count: 100 }, older: { count: 0, first: [] } });
  expect((fields as { behind: { first: unknown[] } }).behind.first).toHaveLength(20);
});

test('counts those from before the replica as missing, and not as late', async () => {
  const all = snapshots(3);
  const w = world(all, all.slice(4));

  await w.run();

  expect(w.metrics).toEqual({ ReplicaBehind: 0, ReplicaMissing: 2 });
});

test('looks at the replica first, so that what is published meanwhile is late at worst', async () => {
  const w = world(snapshots(1), snapshots(1));

  await w.run();

  expect(w.calls).toEqual(['there', 'here']);
});

test('measures nothing when the other region does not answer, so that the alarm misses the measurement', async () => {
  const w = world(snapshots(1), new Error('503'));

  await expect(w.run()).rejects.toThrow('503');
  expect(w.metrics).toEqual({});
});
