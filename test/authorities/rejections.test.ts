import { approve, approvedNames, noteNamed } from '../../lambdas/authorities/approval';
import { advanceTo, requestAbort } from '../../lambdas/authorities/generations';
import { mayLeave } from '../../lambdas/authorities/gates';
import { pathOf } from '../../lambdas/authorities/rotation-path';
import type { Observation } from '../../lambdas/authorities/observation';
import { refusedToApprove, refusedToTell } from '../../lambdas/authorities/rejections';
import type { Refused } from '../../lambdas/authorities/rejections';
import type { RotationMode, RotationState } from '../../lambdas/contract/authority-rotation';
import { before, changeNode, observed } from './observed';
import { begun, step } from './pki';

const refusal = (by: Partial<Refused> = {}): Refused => ({
  port: 'client',
  address: '10.0.0.9',
  firstAt: before(600),
  quietSeconds: 1,
  error: 'tls: bad certificate',
  ...by,
});
const seen = (state: RotationState, refused: readonly Refused[], change: Partial<Observation> = {}, mode: RotationMode = 'planned') => ({
  ...changeNode(observed(state, 'etcd', mode), 'cp-2', { etcdLog: { refused, more: false } }),
  ...change,
});
const NAME = '10.0.0.9, which etcd refused,';
const unapproved = { approvedBy: undefined };
const afterMinted = (mode: RotationMode): [RotationState, RotationMode][] => pathOf(mode).map((state) => [state, mode]);

describe('a member that is refused', () => {
  const member = refusal({ port: 'peer', address: '10.0.0.1' });

  test.each([...afterMinted('planned'), ...afterMinted('compromise')].filter(([state]) => state !== 'MINTED'))(
    'keeps %s of a %s exchange, whoever approved',
    (state, mode) => {
      expect(mayLeave(state, seen(state, [member], { approvedNames: 'all' }, mode))).toEqual({
        open: false,
        because: [expect.stringMatching(/^10\.0\.0\.1 is refused at the peer port of etcd on cp-2 \(tls: bad certificate\)/)],
        kind: 'work',
      });
    },
  );

  test.each([
    [120, false],
    [121, true],
  ])('and is not any more since %s s lets it go on: %s', (quietSeconds, open) => {
    expect(mayLeave('DISTRUST-CANARY', seen('DISTRUST-CANARY', [{ ...member, quietSeconds }])).open).toBe(open);
  });
});

describe('a client that is refused', () => {
  test.each(['TRUSTED', 'ISSUING'] as const)('keeps nothing in %s, and is told', (state) => {
    const observation = seen(state, [refusal()], unapproved);

    expect(mayLeave(state, observation).open).toBe(true);
    expect(refusedToTell(observation, state)).toEqual([NAME]);
  });

  test('is named once to whoever approves the distrust, however many members refuse it, and keeps nothing after that', () => {
    const several = [refusal(), refusal({ error: 'local error: tls: bad record MAC' })];
    const observation = changeNode(seen('SOAKING', several, unapproved), 'cp-3', { etcdLog: { refused: [refusal()], more: false } });

    expect(mayLeave('SOAKING', observation)).toMatchObject({ open: false, kind: 'approval' });
    expect(refusedToApprove(observation, 'SOAKING')).toEqual([NAME]);
    expect(refusedToTell(observation, 'SOAKING')).toEqual([]);
    expect(mayLeave('SOAKING', { ...observation, approvedBy: 'ann' }).open).toBe(true);
  });

  test.each(['DISTRUST-CANARY', 'DISTRUSTED'] as const)('in %s keeps it until it is approved by its name', (state) => {
    const keeps = (by: Partial<Observation>, refused = [refusal()]) => mayLeave(state, seen(state, refused, by));

    expect(keeps({})).toEqual({
      open: false,
      because: [expect.stringMatching(/^10\.0\.0\.9 was refused by etcd on cp-2/)],
      kind: 'approval',
    });
    expect(keeps({ approvedNames: ['10.0.0.8, which etcd refused,'] }).open).toBe(false);
    expect(keeps({ approvedNames: [NAME] }).open).toBe(true);
    expect(keeps({ approvedNames: 'all' }).open).toBe(true);
    expect(keeps({}, [refusal({ port: 'unknown' })])).toMatchObject({ open: false, kind: 'approval' });
  });

  test.each([
    ['as long as before', 1_801, true],
    ['since then', 1_800, false],
  ])('%s has other reasons: %s s ago goes on, %s', (_sentence, seconds, open) => {
    const observation = seen('DISTRUST-CANARY', [refusal({ firstAt: before(seconds) })]);

    expect(mayLeave('DISTRUST-CANARY', observation).open).toBe(open);
  });

  test('beside more of them than are told keeps it, too', () => {
    const observation = changeNode(observed('DISTRUSTED', 'etcd'), 'cp-1', { etcdLog: { refused: [], more: true } });

    expect(mayLeave('DISTRUSTED', observation)).toMatchObject({
      open: false,
      because: [expect.stringMatching(/^more than the log of etcd on cp-1/)],
      kind: 'approval',
    });
  });

  test('after a compromise keeps nothing, and is told', () => {
    const observation = seen('DISTRUSTED', [refusal()], {}, 'compromise');

    expect(mayLeave('DISTRUSTED', observation).open).toBe(true);
    expect(refusedToTell(observation, 'DISTRUSTED')).toEqual([NAME]);
  });

  test('is nothing to the exchange of another authority', () => {
    const observation = changeNode(observed('DISTRUST-CANARY', 'cluster'), 'cp-2', { etcdLog: { refused: [refusal()], more: true } });

    expect(mayLeave('DISTRUST-CANARY', observation).open).toBe(true);
    expect(refusedToTell(observation, 'DISTRUST-CANARY')).toEqual([]);
  });
});

describe('a log that nobody finds', () => {
  const without = (state: RotationState, change: Partial<Observation> = {}) => {
    const { nodes = [], ...rest } = observed(state, 'etcd');
    return { ...rest, nodes: nodes.map(({ etcdLog: _, ...node }) => node), ...change };
  };

  test('is named for each member to whoever approves, and for no worker', () => {
    expect(refusedToApprove(without('SOAKING', unapproved), 'SOAKING')).toEqual(
      ['cp-1', 'cp-2', 'cp-3'].map((name) => `the log of etcd on ${name}, of which nothing is known,`),
    );
  });

  test.each(['TRUSTED', 'ISSUING', 'SOAKING', 'DISTRUST-CANARY', 'DISTRUSTED'] as const)('keeps nothing in %s beside that', (state) => {
    expect(mayLeave(state, without(state)).open).toBe(true);
  });
});

describe('who approves again once it is distrusted somewhere', () => {
  const distrusting = () =>
    pathOf('planned')
      .slice(1, -1)
      .reduce((document, state) => advanceTo(document, state, step), approve(begun(), 'ann', step));

  test('has seen to those who are named by then, and to no others', () => {
    const seenTo = approve(noteNamed(distrusting(), [NAME], step), 'bob', step);
    const later = approve(noteNamed(seenTo, ['another'], step), 'eve', step);

    expect(seenTo.rotation).toMatchObject({ approvedBy: 'ann', refusalsSeen: { by: 'bob', named: [NAME] } });
    expect(approvedNames(noteNamed(seenTo, ['another'], step).rotation!)).toEqual([NAME]);
    expect(later.rotation?.refusalsSeen).toMatchObject({ by: 'eve', named: ['another', NAME] });
    expect(approve(later, 'bob', step)).toBe(later);
  });

  test('where nobody is named changes nothing', () => {
    const document = distrusting();

    expect(approve(document, 'bob', step)).toBe(document);
  });

  test('and to whoever else there is, where they are more than is noted', () => {
    const many = Array.from({ length: 30 }, (_, index) => `10.0.0.${index}`);

    expect(approvedNames(approve(noteNamed(distrusting(), many, step), 'bob', step).rotation!)).toBe('all');
  });

  test('has not once it goes back', () => {
    const back = requestAbort(approve(noteNamed(distrusting(), [NAME], step), 'bob', step), 'bob', 'errors', step);

    expect(back.rotation).not.toHaveProperty('refusalsSeen');
  });
});
