import type { Candidate } from '../../lambdas/restore/choose-snapshot';
import { chooseSnapshot } from '../../lambdas/restore/choose-snapshot';
import { RestoreRequest } from '../../lambdas/contract/restore';
import { manifest } from '../backup/snapshots';

const id = (day: number): string => `202611${String(day).padStart(2, '0')}T120000Z-0000000a`;
const listed = (day: number, overrides: Parameters<typeof manifest>[0] extends infer T ? Partial<T> : never = {}): Candidate => ({
  kind: 'snapshot',
  manifest: manifest({ id: id(day), takenAt: `2026-11-${String(day).padStart(2, '0')}T12:00:00.000Z`, ...overrides }),
});
const damaged: Candidate = { kind: 'damaged', id: id(9), because: 'its object is missing' };
const choose = (candidates: readonly Candidate[], input: object = {}) => {
  const choice = chooseSnapshot(candidates, RestoreRequest.parse(input));
  return 'refused' in choice ? choice.refused : choice.manifest.id;
};

test('the newest verified one is taken, in whatever order they are listed', () => {
  expect(choose([listed(3), listed(5), listed(4), listed(6, { verified: false })])).toBe(id(5));
});

const safety = (day: number, overrides = {}): Candidate => listed(day, { trigger: 'pre-restore', ...overrides });
test.each<[sentence: string, candidates: readonly Candidate[], input: object, chosen: string]>([
  ['a newer one that a restore took before it began is passed over', [listed(5), safety(6)], {}, id(5)],
  ['also where what is not verified will do', [listed(5, { verified: false }), safety(6)], { allowUnverified: true }, id(5)],
  ['one from before a rotation is not', [listed(5), listed(6, { trigger: 'pre-rotation' })], {}, id(6)],
  ['one from before a restore is taken when it is named', [listed(5), safety(6)], { snapshot: id(6) }, id(6)],
  ['and is not named instead of another', [listed(5), safety(6)], { snapshot: id(7) }, `snapshot ${id(7)} is not listed: the newest verified one is ${id(5)}`],
])('%s', (_sentence, candidates, input, chosen) => expect(choose(candidates, input)).toBe(chosen)); // prettier-ignore

test('where there are only those from before restores, the newest that will do is told', () => {
  const none = 'there is no verified snapshot';
  const named = (day: number) => `; ${id(day)} is from before a restore, of the state that somebody wanted to get away from: {"snapshot":"${id(day)}"} takes it all the same`; // prettier-ignore

  expect(choose([safety(3), safety(4), safety(6, { verified: false })])).toBe(`${none}${named(4)}`);
  expect(choose([safety(6, { verified: false })])).toBe(none);
  expect(choose([safety(6, { verified: false })], { allowUnverified: true })).toBe(`${none}${named(6)}`);
  expect(choose([safety(4), listed(5, { verified: false })])).toBe(
    `${none}, and 1 that are not: allowUnverified takes the newest of them${named(4)}`,
  );
});

test('one that is named is taken, also when newer ones are there', () => {
  expect(choose([listed(3), listed(5)], { snapshot: id(3) })).toBe(id(3));
});

test('one that is not verified is taken only when that is allowed, and its failed checks are named', () => {
  const doubtful = listed(6, { verified: false, checks: [{ name: 'hashkv', passed: false, detail: 'a minority holds it' }] });

  expect(choose([listed(5), doubtful], { snapshot: id(6) })).toBe(
    `snapshot ${id(6)} is not verified (hashkv: a minority holds it): the newest verified one is ${id(5)}; allowUnverified restores it all the same`,
  );
  expect(choose([listed(5), doubtful], { snapshot: id(6), allowUnverified: true })).toBe(id(6));
  expect(choose([doubtful])).toContain('there is no verified snapshot, and 1 that are not');
  expect(choose([doubtful], { allowUnverified: true })).toBe(id(6));
  expect(choose([listed(5), doubtful], { allowUnverified: true })).toBe(id(5));
});

test('one that is damaged or not there is refused, with another one to take', () => {
  expect(choose([listed(5), damaged], { snapshot: id(9) })).toBe(
    `snapshot ${id(9)} is damaged (its object is missing): the newest verified one is ${id(5)}`,
  );
  expect(choose([listed(5)], { snapshot: id(7) })).toBe(`snapshot ${id(7)} is not listed: the newest verified one is ${id(5)}`);
  expect(choose([damaged])).toBe(`there is no verified snapshot (damaged: ${id(9)}: its object is missing)`);
});
