import { etcdTooWeak } from '../../lambdas/certificates/etcd-margin';
import type { MemberView } from '../../lambdas/etcd/cluster-view';

const well = (name: string, change: Partial<Extract<MemberView, { reachable: true }>['status']> = {}): MemberView => ({
  endpoint: `https://${name}:2379`,
  reachable: true,
  status: {
    ...{ id: name, name, clusterId: 'c', version: '3.6.16', leaderId: 'a', isLearner: false, dbSize: 1 },
    ...{ revision: 1, raftIndex: 1, raftAppliedIndex: 1, alarms: [], ...change },
  },
});
const away = (name: string): MemberView => ({
  endpoint: `https://${name}:2379`,
  reachable: false,
  because: `${name} is away`,
  kind: 'network',
});

describe('etcdTooWeak', () => {
  test.each<[string, MemberView[], number]>([
    ['three of three', [well('a'), well('b'), well('c')], 3],
    ['four of five', [well('a'), well('b'), well('c'), well('d'), away('e')], 5],
    ['the only one', [well('a')], 1],
  ])('%s can lose one, or have no other to lose', (_sentence, members, votingMembers) => {
    expect(etcdTooWeak({ members, votingMembers })).toBeUndefined();
  });

  test.each<[string, MemberView[], number]>([
    ['two of three', [well('a'), well('b'), away('c')], 3],
    ['two of two', [well('a'), well('b')], 2],
    ['three of five', [well('a'), well('b'), well('c'), away('d'), away('e')], 5],
    ['three of three, one of them without a leader', [well('a'), well('b'), well('c', { leaderId: '0' })], 3],
    ['two voters and a learner', [well('a'), well('b'), well('c', { isLearner: true })], 3],
    ['two whose cluster has one that the config does not name', [well('a'), well('b')], 3],
    ['one that is away', [away('a')], 0],
  ])('%s cannot', (_sentence, members, votingMembers) => {
    expect(etcdTooWeak({ members, votingMembers })).toMatch(/members of etcd are well/);
  });

  test('loses nothing by a member that is away already, when it is the one whose certificates are exchanged', () => {
    const view = { members: [well('a'), well('b'), away('c')], votingMembers: 3 };

    expect(etcdTooWeak(view, { host: 'c', port: 2379 })).toBeUndefined();
    expect(etcdTooWeak(view, { host: 'a', port: 2379 })).toMatch(/2 of 3/);
    expect(etcdTooWeak(view, { host: 'c', port: 2380 })).toMatch(/2 of 3/);
    expect(etcdTooWeak({ members: [well('a'), away('b'), away('c')], votingMembers: 3 }, { host: 'c', port: 2379 })).toMatch(/1 of 3/);
  });

  test('says who is away', () => {
    expect(etcdTooWeak({ members: [well('a'), well('b'), away('c')], votingMembers: 3 })).toMatch(/2 of 3 .* c is away/);
  });
});
