import fc from 'fast-check';
import type { GateName } from '../../lambdas/authorities/gate-names';
import type { ReturnGate } from '../../lambdas/authorities/return-gates';
import { AuthorityName } from '../../lambdas/contract/certificate-names';
import { RotationMode } from '../../lambdas/contract/authority-rotation';
import { acts } from './rotation-acts';
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

  test.each<[ReturnGate, AuthorityName]>([
    ['clients-returned', 'cluster'],
    ['old-leaves', 'cluster'],
  ])('when nobody asks for %s on the way back, %s', (gate, authority) => {
    expect(isCaught({ authority, mode: 'planned', without: { returnGates: [gate] } })).toBe(true);
  });

  test('when a node that does not tell is missed by no gate', () => {
    expect(isCaught({ authority: 'cluster', mode: 'planned', without: { forgetsMissing: true } })).toBe(true);
  });

  test.each(['cluster', 'etcd'] as const)('when nobody tries a cross certificate that nobody accepts, %s', (authority) => {
    expect(isCaught({ authority, mode: 'planned', crossBroken: true, without: { gates: ['path-matrix'] } })).toBe(true);
  });
});
