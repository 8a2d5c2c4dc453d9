import fc from 'fast-check';
import type { GateName } from '../../lambdas/authorities/gate-names';
import type { ReturnGate } from '../../lambdas/authorities/return-gates';
import { AuthorityName } from '../../lambdas/contract/certificate-names';
import { RotationMode } from '../../lambdas/contract/authority-rotation';
import { acts } from './rotation-acts';
import type { Act } from './rotation-acts';
import { run } from './rotation-course';
import type { Setting } from './rotation-run';

const SETTINGS = AuthorityName.options.flatMap((authority) => RotationMode.options.map((mode) => ({ authority, mode })));

describe('whatever happens while an authority rotates, whoever must talk can talk, and it comes to an end', () => {
  test.each(SETTINGS)('$authority, $mode', (setting) => {
    fc.assert(
      fc.property(acts, fc.constantFrom('forward', 'back'), (sequence, afterwards) => {
        expect(run(setting, sequence, afterwards).fault).toBeUndefined();
      }),
      { numRuns: 120 },
    );
  });
});

const inTurn = (...events: (Act['event'] | Act)[]): Act[] => events.map((one) => (typeof one === 'string' ? { event: one, pick: 0 } : one));
const round = (...events: Parameters<typeof inTurn>): Act[] => inTurn(...events, 'the time of a soak', 'advance');
const ALL_PODS: Act = { event: 'new pods', pick: 5 };
/** Everybody has what is new, and is without the old root when it is aborted. */
const TURNED_BACK = [
  ...[...round('advance'), ...round('work on all'), ...round('work on all'), ...round('work on all', 'new kubeconfigs', ALL_PODS)],
  ...[...round('work on all'), ...inTurn('work on all', 'the time of a soak', 'new kubeconfigs', ALL_PODS, 'snapshot', 'abort', 'advance')],
];
const PLANNED = { authority: 'cluster', mode: 'planned' } as const;

describe('on the way back from the end of an exchange', () => {
  test.each<[string, ReturnGate, Act[], RegExp]>([
    [
      'while a restore of etcd has taken back what pods are given',
      'old-published',
      [
        ...round('work on all', 'two minutes', 'new kubeconfigs', ALL_PODS),
        { event: 'restore', pick: 4 },
        ...inTurn('advance', 'work on all', 'new pods'),
      ],
      /^pod to apiserver/,
    ],
    [
      'before people with the new root alone had the time to take both',
      'clients-returned',
      inTurn('work on all', 'two minutes', ALL_PODS, 'advance', 'work on all', 'advance', 'work on all'),
      /^person to apiserver/,
    ],
  ])('leaves by the old root are not written %s', (_, gate, acts, harm) => {
    expect(run(PLANNED, [...TURNED_BACK, ...acts], 'back')).toEqual({ end: 'under-way', fault: undefined });
    expect(run({ ...PLANNED, without: { returnGates: [gate] } }, [...TURNED_BACK, ...acts]).fault).toMatch(harm);
  });
});

const drawn = fc.sample(acts, { numRuns: 300, seed: 20_261_127 });

test.each(SETTINGS)('both ends of $authority, $mode, are reached by themselves, or this would try little', (setting) => {
  const ends = drawn.slice(0, 60).map((sequence) => run(setting, sequence).end);

  for (const end of ['closed', 'aborted']) expect(ends.filter((each) => each === end).length).toBeGreaterThan(3);
});

test('a cross certificate that nobody accepts is tried before anybody is shown it', () => {
  for (const sequence of drawn.slice(0, 60))
    expect(run({ authority: 'cluster', mode: 'planned', crossBroken: true }, sequence)).toMatchObject({ fault: undefined });
});

const isCaught = (setting: Setting): boolean => drawn.some((sequence) => run(setting, sequence).fault !== undefined);

describe('the model notices', () => {
  test.each<[GateName, AuthorityName, RotationMode]>([
    ['trust-loaded', 'cluster', 'planned'],
    ['clients-used', 'cluster', 'compromise'],
    ['places-handled', 'cluster', 'planned'],
    ['soaked', 'etcd', 'planned'],
    ['canary-distrusts', 'cluster', 'planned'],
    ['trust-files', 'cluster', 'compromise'],
    ['restarted', 'cluster', 'compromise'],
    ['old-gone', 'front-proxy', 'planned'],
  ])('when nobody asks for %s, %s, %s', (gate, authority, mode) => {
    expect(isCaught({ authority, mode, without: { gates: [gate] } })).toBe(true);
  });

  test('when nobody asks for old-leaves on the way back', () => {
    expect(isCaught({ ...PLANNED, without: { returnGates: ['old-leaves'] } })).toBe(true);
  });

  test('when a node that does not tell is missed by no gate', () => {
    expect(isCaught({ authority: 'cluster', mode: 'planned', without: { forgetsMissing: true } })).toBe(true);
  });

  test.each(['cluster', 'etcd'] as const)('when nobody tries a cross certificate that nobody accepts, %s', (authority) => {
    expect(isCaught({ authority, mode: 'planned', crossBroken: true, without: { gates: ['path-matrix'] } })).toBe(true);
  });
});
