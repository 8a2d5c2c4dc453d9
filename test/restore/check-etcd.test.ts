import type { MemberStatus, MemberView } from '../../lambdas/etcd/cluster-view';
import type { CheckEdges, CheckEtcdEvent } from '../../lambdas/restore/check-etcd';
import { checkEtcd, endpointsOf } from '../../lambdas/restore/check-etcd';
import { reachable, unreachable } from '../backup/factories';
import { factsOf } from '../nodes/facts';
import { storedPlan } from './plans';

const ENDPOINTS = ['https://a:1', 'https://b:1', 'https://c:1'] as const;
const member = (index: number, overrides: Partial<MemberStatus> = {}): MemberView =>
  reachable(ENDPOINTS[index]!, { id: `m${index}`, leaderId: 'm1', revision: 2_000, ...overrides });
const whole = [member(0), member(1), member(2)];

interface World {
  readonly members?: readonly MemberView[];
  readonly voting?: number;
  readonly hashes?: Readonly<Record<string, { hash: string; compactRevision: number } | Error>>;
  readonly inventory?: Readonly<Record<string, number>>;
  readonly plan?: string | undefined;
  readonly askApi?: CheckEdges['askApi'];
}

function edges(world: World = {}) {
  const asked: string[] = [];
  const { members = whole, hashes = {}, inventory = { pods: 2, secrets: 1 } } = world;
  const all: CheckEdges = {
    etcd: {
      gather: async () => ({ members, votingMembers: world.voting ?? members.length }),
      hashKv: async (endpoint, revision) => {
        asked.push(`${endpoint} ${revision}`);
        const answer = hashes[endpoint] ?? { hash: 'feedbeef', compactRevision: 1_999 };
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
    surgeon: {
      countObjects: async (endpoint) => {
        asked.push(`count ${endpoint}`);
        return { revision: 2_000, inventory };
      },
      deletePrefix: async (prefix) => {
        asked.push(`delete ${prefix}`);
        return 3;
      },
    },
    readPlan: async () => ('plan' in world ? world.plan : storedPlan({ inventory: { pods: 2, secrets: 1 } })),
    askApi: world.askApi,
    telemetry: { log: () => undefined },
  };
  return { all, asked };
}
const restored: CheckEtcdEvent = { do: 'restored', endpoints: [...ENDPOINTS], restoreId: 'run-1', above: 1_500, to: 2_000 };

test('members that hold the same data, the objects of the snapshot and a higher revision are what was wanted', async () => {
  const { all, asked } = edges();

  expect(await checkEtcd(all, restored)).toEqual({
    lineage: 'c0ffee',
    revision: 2_000,
    hash: 'feedbeef',
    members: 3,
    versions: ['3.6.16'],
  });
  expect(asked).toContain('count https://b:1'); // the leader has applied everything
});

test('members are compared at a revision that each of them has', async () => {
  const { all, asked } = edges({ members: [member(0, { revision: 1_990 }), member(1), member(2)] });

  await checkEtcd(all, restored);

  expect(asked.filter((each) => each.endsWith(' 1990'))).toHaveLength(3);
});

test.each<[sentence: string, world: World, name: string, words: string]>([
  [
    'a member does not answer',
    { members: [member(0), member(1), unreachable(ENDPOINTS[2])], voting: 3 },
    'EtcdNotReady',
    'https://c:1 does not answer',
  ],
  [
    'a member knows no leader',
    { members: [member(0), member(1), member(2, { leaderId: '0' })] },
    'EtcdNotReady',
    'https://c:1 knows no leader',
  ],
  [
    'a member has no hash yet',
    { hashes: { [ENDPOINTS[0]]: new Error('future revision') } },
    'EtcdNotReady',
    'has no hash of revision 2000',
  ],
  [
    'members are at different compactions',
    { hashes: { [ENDPOINTS[0]]: { hash: 'a', compactRevision: -1 } } },
    'EtcdNotReady',
    'different compactions',
  ],
  [
    'members belong to two clusters',
    { members: [member(0), member(1), member(2, { clusterId: 'beef' })] },
    'RestoredDataDiffers',
    'some were restored and others were not',
  ],
  ['the cluster counts another member', { voting: 4 }, 'RestoredDataDiffers', 'counts 4 voting members and 3 were restored'],
  [
    'members hold different data',
    { hashes: { [ENDPOINTS[2]]: { hash: 'bad', compactRevision: 1_999 } } },
    'RestoredDataDiffers',
    'https://c:1 bad',
  ],
  ['an object is missing', { inventory: { pods: 1, secrets: 1 } }, 'RestoredDataDiffers', 'pods: 1, not 2'],
  ['there is an object more', { inventory: { pods: 2, secrets: 1, nodes: 1 } }, 'RestoredDataDiffers', 'nodes: 1, not 0'],
  [
    'time ran backwards',
    { members: whole.map((_, index) => member(index, { revision: 1_500 })) },
    'RestoredDataDiffers',
    'clients have seen 1500',
  ],
  ['the plan is gone', { plan: undefined }, 'RestoreRefused', 'plan.json of restore run-1 is missing'],
])('it is no success when %s', async (_sentence, world, name, words) => {
  const error: unknown = await checkEtcd(edges(world).all, restored).catch((thrown: unknown) => thrown);

  expect(error).toMatchObject({ name, message: expect.stringContaining(words) as string });
});

test.each<[string, CheckEtcdEvent, Partial<CheckEdges['surgeon']>]>([
  ['the objects are counted', restored, { countObjects: () => Promise.reject(new Error('no leader')) }],
  ['old leases are removed', { do: 'repair', endpoints: [...ENDPOINTS] }, { deletePrefix: () => Promise.reject(new Error('no leader')) }],
])('what etcd does not answer is asked again when %s', async (_sentence, event, broken) => {
  const { all } = edges();

  await expect(checkEtcd({ ...all, surgeon: { ...all.surgeon, ...broken } }, event)).rejects.toMatchObject({
    name: 'EtcdNotReady',
    message: 'etcd gave no answer (no leader): wait',
  });
});

test('a restore without a bump is not asked for its revision', async () => {
  await expect(checkEtcd(edges().all, { ...restored, above: 0 })).resolves.toMatchObject({ revision: 2_000 });
});

test('the leases of API servers are removed, and nothing else', async () => {
  const { all, asked } = edges();

  expect(await checkEtcd(all, { do: 'repair', endpoints: [...ENDPOINTS] })).toMatchObject({ leasesRemoved: 3 });
  expect(asked.filter((each) => each.startsWith('delete'))).toEqual(['delete /registry/masterleases/']);
});

test.each<[sentence: string, askApi: CheckEdges['askApi'], api: string]>([
  ['is ready', async () => 200, 'ready'],
  ['is not', async () => 503, 'answers 503'],
  ['does not answer', async () => Promise.reject(new Error('ECONNREFUSED')), 'does not answer: ECONNREFUSED'],
  ['has no name', undefined, 'the config names no API'],
])('an API that %s is told and undoes nothing', async (_sentence, askApi, api) => {
  expect(await checkEtcd(edges({ askApi }).all, { do: 'verify', endpoints: [...ENDPOINTS], above: 1_500 })).toMatchObject({ api });
});

describe('after a roll-back', () => {
  const end = (url: string | null) => ({
    instanceId: 'i-00000001',
    host: 'a',
    outcome: 'done' as const,
    result: factsOf({ etcd: { clientUrl: url } }),
  });
  const old: CheckEtcdEvent = { do: 'old', facts: [end(ENDPOINTS[0]), end(null)] };

  test('the nodes themselves tell where their members are', () => {
    expect(endpointsOf(old)).toEqual([ENDPOINTS[0]]);
    expect(endpointsOf(restored)).toEqual(ENDPOINTS);
  });

  test('a majority is enough, since the rest may be on a node that is gone', async () => {
    await expect(checkEtcd(edges({ members: [member(0), member(1)], voting: 3 }).all, old)).resolves.toMatchObject({ members: 2 });
    await expect(checkEtcd(edges({ members: [member(0)], voting: 3 }).all, old)).rejects.toThrow('1 of 3 voting members serve');
  });

  test('a half is no majority', async () => {
    await expect(checkEtcd(edges({ members: [member(0), member(1)], voting: 4 }).all, old)).rejects.toMatchObject({
      name: 'EtcdNotReady',
      message: '2 of 4 voting members serve: wait',
    });
    await expect(checkEtcd(edges({ members: whole, voting: 4 }).all, old)).resolves.toMatchObject({ members: 3 });
  });
});
