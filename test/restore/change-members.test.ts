import type { MemberView } from '../../lambdas/etcd/cluster-view';
import type { AddedMember, EtcdSurgeon, ListedMember, PromotedMember, RemovedMember } from '../../lambdas/etcd/surgeon';
import type { ReplacementPlan } from '../../lambdas/contract/replace-member';
import type { ChangeMembersEvent, PlanEdges } from '../../lambdas/restore/change-members';
import { changeMembers, endpointsToAsk } from '../../lambdas/restore/change-members';
import { clientUrl, instance, listed, nodeFacts, peerUrl, serves, silent } from './replacements';

interface World {
  readonly views?: readonly MemberView[];
  /** What is seen later, from this look on: at first there is an election. */
  readonly leaderFromLook?: number;
  readonly members?: readonly ListedMember[];
  /** Endpoints that list nobody. */
  readonly listless?: readonly string[];
  readonly removed?: RemovedMember;
  readonly added?: AddedMember;
  readonly promoted?: PromotedMember;
  readonly hashes?: Readonly<Record<string, string>>;
  readonly snapshot?: string | Error;
}

/** What a member says of itself while there is an election. */
const leaderless = (view: MemberView): MemberView => (view.reachable ? { ...view, status: { ...view.status, leaderId: '0' } } : view);

function edges(world: World = {}) {
  const asked: string[] = [];
  const ask = <T>(what: string, answer: T): Promise<T> => {
    asked.push(what);
    return Promise.resolve(answer);
  };
  const {
    views = [serves(1), serves(2), silent(3)],
    members = [listed(1), listed(2), listed(3)],
    listless = [],
    snapshot,
    leaderFromLook = 0,
  } = world;
  let looks = 0;
  const surgeon: EtcdSurgeon = {
    countObjects: () => Promise.reject(new Error('nobody counts')),
    deletePrefix: () => Promise.reject(new Error('nobody deletes')),
    memberList: async (endpoint, linearizable) => {
      asked.push(`list ${endpoint} ${String(linearizable)}`);
      if (listless.includes(endpoint)) throw new Error('etcdserver: request timed out');
      return members;
    },
    memberRemove: (id) => ask(`remove ${id}`, world.removed ?? { outcome: 'removed' }),
    memberAddAsLearner: (urls) => ask(`add ${urls.join()}`, world.added ?? { outcome: 'added', member: learner }),
    memberPromote: (id) => ask(`promote ${id}`, world.promoted ?? { outcome: 'promoted' }),
    close: () => undefined,
  };
  const all: PlanEdges = {
    etcd: {
      gather: async () => {
        looks++;
        return { members: looks < leaderFromLook ? views.map(leaderless) : views, votingMembers: members.length };
      },
      hashKv: async (endpoint) => ({ hash: world.hashes?.[endpoint] ?? 'feed', compactRevision: 7 }),
    },
    surgeon,
    telemetry: { log: () => undefined, warn: () => undefined },
    newestVerified: async () => {
      if (snapshot instanceof Error) throw snapshot;
      return snapshot;
    },
    wait: (ms) => ask(`wait ${ms}`, undefined),
  };
  return { all, asked };
}

const learner = listed(9, { name: '', peerUrls: [peerUrl(3)], isLearner: true });
const request = {
  node: instance(3),
  force: false,
  allowEven: false,
  approval: 'skip',
  approvalSeconds: 1,
  waitForNodesSeconds: 0,
} as const;
const facts = [1, 2, 3].map((number) => nodeFacts(number));
const planning: ChangeMembersEvent = { do: 'plan', request, restoreId: 'run-1', facts };
const plan: ReplacementPlan = {
  ...{ restoreId: 'run-1', record: 'run-1', node: { instanceId: instance(3), host: 'host-3' }, from: 'leave', remove: 'a3', name: 'm3' },
  ...{ peerUrls: [peerUrl(3)], clientUrl: clientUrl(3), initialCluster: `m3=${peerUrl(3)}`, voters: 3, message: '' },
};
const endpoints = [clientUrl(1), clientUrl(2)];
const refused = (why: 'not-in-sync' | 'unhealthy' | 'no-quorum' | 'another-learner' | 'peer-url-taken' | 'no-such-member') =>
  ({ outcome: 'refused', why, because: `etcdserver: ${why}` }) as const;

test('a plan names the endpoints of the members that stay', async () => {
  expect(await changeMembers(edges().all, planning)).toMatchObject({ plan: { remove: 'a3' }, endpoints });
});

test('a member that serves and is removed is asked nothing any more', async () => {
  const { all } = edges({ views: [serves(1), serves(2), serves(3)] });

  expect(await changeMembers(all, { ...planning, request: { ...request, force: true } })).toMatchObject({ endpoints });
});

test('the next member is asked when one cannot list the others for a majority', async () => {
  const { all, asked } = edges({ listless: [clientUrl(1)] });

  await expect(changeMembers(all, planning)).resolves.toMatchObject({ plan: { remove: 'a3' } });
  expect(asked).toEqual([`list ${clientUrl(1)} true`, `list ${clientUrl(2)} true`]);
});

test('an election is no reason to restore: a majority that is missing is looked for again', async () => {
  const { all, asked } = edges({ leaderFromLook: 3 });

  await expect(changeMembers(all, planning)).resolves.toMatchObject({ plan: { remove: 'a3' } });
  expect(asked.filter((what) => what.startsWith('wait'))).toEqual(['wait 3000', 'wait 3000']);
});

test('a majority that stays missing is refused in the end, and what no time mends is refused at once', async () => {
  const never = edges({ leaderFromLook: 99 });
  const serving = edges({ views: [serves(1), serves(2), serves(3)] });

  await expect(changeMembers(never.all, planning)).rejects.toMatchObject({
    message: expect.stringContaining('voting members serve') as string,
  });
  expect(never.asked.filter((what) => what.startsWith('wait'))).toHaveLength(5);
  await expect(changeMembers(serving.all, planning)).rejects.toMatchObject({ name: 'RestoreRefused' });
  expect(serving.asked.join()).not.toContain('wait');
});

test.each<[sentence: string, world: World, words: string]>([
  [
    'no member lists the others',
    { listless: endpoints, snapshot: '20261126T020000Z-0000000a' },
    'the newest verified snapshot is 20261126T020000Z-0000000a',
  ],
  ['the snapshots cannot be listed either', { listless: endpoints, snapshot: new Error('no S3') }, 'there is no verified snapshot'],
  ['the member serves', { views: [serves(1), serves(2), serves(3)] }, 'say force'],
])('a plan is refused when %s', async (_sentence, world, words) => {
  await expect(changeMembers(edges(world).all, planning)).rejects.toMatchObject({
    name: 'RestoreRefused',
    message: expect.stringContaining(words) as string,
  });
});

const { remove: _removed, ...planOfNobody } = plan;
test.each<[sentence: string, event: ChangeMembersEvent, world: World, asked: string[], answer: object]>([
  ['a member is removed', { do: 'remove', endpoints, plan }, {}, ['remove a3'], { removed: 'removed' }],
  [
    'a member that is gone stays removed',
    { do: 'remove', endpoints, plan },
    { removed: { outcome: 'already-gone' } },
    ['remove a3'],
    { removed: 'already-gone' },
  ],
  ['nobody is removed when nobody is to be', { do: 'remove', endpoints, plan: planOfNobody }, {}, [], { removed: 'nobody' }],
  ['a learner is added', { do: 'add', endpoints, plan }, {}, [`add ${peerUrl(3)}`], { learner: 'a9' }],
  [
    'a learner that was added is taken',
    { do: 'add', endpoints, plan },
    { added: { outcome: 'already-added', member: learner } },
    [`add ${peerUrl(3)}`],
    { learner: 'a9' },
  ],
  ['a learner is promoted', { do: 'promote', endpoints, plan, learner: 'a9' }, {}, ['promote a9'], { promoted: 'promoted' }],
  [
    'a member that votes is promoted',
    { do: 'promote', endpoints, plan, learner: 'a9' },
    { promoted: { outcome: 'already-voting' } },
    ['promote a9'],
    { promoted: 'already-voting' },
  ],
])('%s', async (_sentence, event, world, wanted, answer) => {
  const { all, asked } = edges(world);

  expect(await changeMembers(all, event)).toEqual(answer);
  expect(asked).toEqual(wanted);
});

const steps = {
  remove: { do: 'remove', endpoints, plan },
  add: { do: 'add', endpoints, plan },
  promote: { do: 'promote', endpoints, plan, learner: 'a9' },
  check: { do: 'check', endpoints, plan },
} as const satisfies Readonly<Record<string, ChangeMembersEvent>>;
const already = (change: Partial<ListedMember>): World => ({ added: { outcome: 'already-added', member: { ...learner, ...change } } });
test.each<[sentence: string, step: keyof typeof steps, world: World, name: string, words: string]>([
  ['removed while others are not connected', 'remove', { removed: refused('unhealthy') }, 'EtcdNotReady', 'etcdserver: unhealthy'],
  ['removed without a majority', 'remove', { removed: refused('no-quorum') }, 'EtcdNotReady', 'wait'],
  ['added while others are not connected', 'add', { added: refused('unhealthy') }, 'EtcdNotReady', 'wait'],
  ['added beside another learner', 'add', { added: refused('another-learner') }, 'MembersUnchanged', 'etcdctl member list'],
  ['added with an address of another', 'add', { added: refused('peer-url-taken') }, 'MembersUnchanged', 'etcdctl member list'],
  ['added when it votes already', 'add', already({ isLearner: false }), 'MembersUnchanged', 'which votes'],
  ['added while the removed one is still listed', 'add', already({ id: 'a3' }), 'MembersUnchanged', 'start the replacement again'],
  ['added when somebody else runs there', 'add', already({ name: 'stranger' }), 'MembersUnchanged', 'stranger'],
  ['promoted before it is in sync', 'promote', { promoted: refused('not-in-sync') }, 'EtcdNotReady', 'wait'],
  ['promoted when it is gone', 'promote', { promoted: refused('no-such-member') }, 'MembersUnchanged', 'no-such-member'],
  ['whole while one does not serve', 'check', {}, 'EtcdNotReady', 'm3 a3 does not serve'],
  [
    'whole while one has no leader',
    'check',
    { views: [serves(1), serves(2), serves(3, { leaderId: '0' })] },
    'EtcdNotReady',
    'm3 a3 does not serve',
  ],
  [
    'whole while one has not started',
    'check',
    { members: [listed(1), listed(2), listed(3, { name: '' })] },
    'EtcdNotReady',
    'a3 has not started',
  ],
  [
    'whole while one has no vote',
    'check',
    { members: [listed(1), listed(2), listed(3, { isLearner: true })] },
    'EtcdNotReady',
    'm3 a3 has no vote',
  ],
  ['whole with one missing', 'check', { members: [listed(1), listed(2)] }, 'EtcdNotReady', 'there are 2 members, not 3'],
  ['whole when nobody lists it', 'check', { listless: endpoints }, 'EtcdNotReady', 'no member lists'],
  [
    'whole when one holds something else',
    'check',
    { views: [1, 2, 3].map((n) => serves(n)), hashes: { [clientUrl(3)]: 'bad' } },
    'RestoredDataDiffers',
    'different data',
  ],
])('a cluster is not %s', async (_sentence, step, world, name, words) => {
  await expect(changeMembers(edges(world).all, steps[step])).rejects.toMatchObject({
    name,
    message: expect.stringContaining(words) as string,
  });
});

test('a cluster of which every member serves the same is whole', async () => {
  const { all } = edges({ views: [1, 2, 3].map((number) => serves(number)) });

  expect(await changeMembers(all, steps.check)).toEqual({ voters: 3, members: ['m1', 'm2', 'm3'], revision: 1_000, hash: 'feed' });
});

test('the new member is asked too when all is checked, and not before', () => {
  expect(endpointsToAsk(steps.check, endpoints)).toEqual([...endpoints, clientUrl(3)]);
  expect(endpointsToAsk(steps.add, endpoints)).toEqual(endpoints);
});

test('members are looked for where the config and the nodes say, each once', () => {
  expect(endpointsToAsk(planning, [clientUrl(1), 'https://balancer:2379'])).toEqual([
    clientUrl(1),
    'https://balancer:2379',
    clientUrl(2),
    clientUrl(3),
  ]);
});
