import fc from 'fast-check';
import { MAX_LAG, chooseMember } from '../../lambdas/backup/choose-member';
import type { MemberView } from '../../lambdas/etcd/cluster-view';
import { memberStatus, reachable, unreachable } from './factories';

const leader = (endpoint: string, overrides = {}) => reachable(endpoint, { id: 'b2', leaderId: 'b2', ...overrides });
const choose = (members: readonly MemberView[]) => chooseMember({ members, votingMembers: members.length });

describe('chooseMember', () => {
  test.each<[string, MemberView[], string | undefined]>([
    ['takes a healthy follower before the leader (peer failure 35)', [leader('one'), reachable('two')], 'two'],
    ['takes the follower that has applied most', [reachable('one', { raftAppliedIndex: 1_990 }), reachable('two')], 'two'],
    ['takes the leader when no follower answers', [leader('one'), unreachable('two')], 'one'],
    ['never takes a learner', [reachable('one', { isLearner: true }), leader('two')], 'two'],
    ['never takes a member with the CORRUPT alarm', [reachable('one', { alarms: ['CORRUPT'] }), leader('two')], 'two'],
    [
      'passes over a follower that lags',
      [reachable('one', { raftAppliedIndex: 10 }), leader('two', { raftAppliedIndex: 11 + MAX_LAG })],
      'two',
    ],
    [
      'takes a follower exactly at the allowed lag',
      [reachable('one', { raftAppliedIndex: 10 }), leader('two', { raftAppliedIndex: 10 + MAX_LAG })],
      'one',
    ],
    ['prefers the leader to a follower that is full', [reachable('one', { alarms: ['NOSPACE'] }), leader('two')], 'two'],
    ['takes a full member rather than none', [reachable('one', { alarms: ['NOSPACE'] }), unreachable('two')], 'one'],
    [
      'takes a member without a leader when quorum is lost',
      [reachable('one', { leaderId: '0' }), unreachable('two'), unreachable('three')],
      'one',
    ],
    ['takes nobody when nobody answers', [unreachable('one'), unreachable('two')], undefined],
    [
      'takes nobody when all who answer are unfit',
      [reachable('one', { isLearner: true }), reachable('two', { alarms: ['CORRUPT'] })],
      undefined,
    ],
  ])('%s', (_sentence, members, expected) => {
    expect(choose(members).chosen?.endpoint).toBe(expected);
  });

  test('never takes one that is shunned, be it the last', () => {
    const shunned = new Map([['one', 'holds something else']]);
    const members = [reachable('one'), leader('two')];

    expect(chooseMember({ members, votingMembers: 2 }, shunned).chosen?.endpoint).toBe('two');
    expect(chooseMember({ members: members.slice(0, 1), votingMembers: 2 }, shunned)).toEqual({
      chosen: undefined,
      judgements: [{ endpoint: 'one', fit: false, because: 'holds something else' }],
    });
  });

  test('gives every member a reason, so that a log or an error can name it', () => {
    const { judgements } = choose([leader('one'), unreachable('two', 'tls', 'expired'), reachable('three', { isLearner: true })]);

    expect(judgements.map(({ endpoint, because }) => `${endpoint}: ${because}`)).toEqual([
      'one: is the leader, and no follower is fit',
      'two: unreachable: expired',
      'three: is a learner: it does not vote and may not have caught up',
    ]);
  });

  test('whatever the members say, the chosen one is reachable, votes, is not corrupt and does not lag', () => {
    const status = fc.record({
      raftAppliedIndex: fc.nat(20_000),
      isLearner: fc.boolean(),
      alarms: fc.subarray<'NOSPACE' | 'CORRUPT'>(['NOSPACE', 'CORRUPT']),
      leaderId: fc.constantFrom('0', 'a1', 'b2'),
      id: fc.constantFrom('a1', 'b2', 'c3'),
    });
    const member = fc.oneof(
      status.map((overrides) => reachable('e', overrides)),
      fc.constant(unreachable('e')),
    );

    fc.assert(
      fc.property(fc.array(member, { maxLength: 7 }), (views) => {
        const members = views.map((view, index) => ({ ...view, endpoint: `e${index}` }));
        const newest = Math.max(0, ...members.map((view) => (view.reachable ? view.status.raftAppliedIndex : 0)));
        const fit = members.filter(
          (view) =>
            view.reachable &&
            !view.status.isLearner &&
            !view.status.alarms.includes('CORRUPT') &&
            newest - view.status.raftAppliedIndex <= MAX_LAG,
        );

        const { chosen } = choose(members);

        expect(chosen === undefined).toBe(fit.length === 0);
        if (chosen) expect(fit.map((view) => view.endpoint)).toContain(chosen.endpoint);
      }),
    );
  });

  test('keeps the status it judged by, for the manifest', () => {
    expect(choose([reachable('one')]).chosen?.status).toEqual(memberStatus({ name: 'one' }));
  });
});
