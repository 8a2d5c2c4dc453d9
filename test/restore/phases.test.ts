import type { HistoryEntry } from '../../lambdas/restore/phases';
import { phasesOf } from '../../lambdas/restore/phases';

const NOW = new Date('2026-11-26T04:00:00.000Z');
const entry = (seconds: number, kind: HistoryEntry['kind'], state: string): HistoryEntry => ({
  at: new Date(NOW.getTime() + seconds * 1000),
  kind,
  state,
});
const told = (history: readonly HistoryEntry[], now = 100) =>
  phasesOf(history, new Date(NOW.getTime() + now * 1000)).map(({ state, startedAt, endedAt }) => [
    state,
    (startedAt.getTime() - NOW.getTime()) / 1000,
    (endedAt.getTime() - NOW.getTime()) / 1000,
  ]);

test('states that people know are told in the order in which they began, and nothing of what lies inside them', () => {
  expect(
    told([
      entry(0, 'entered', 'FindNodes'),
      entry(1, 'exited', 'FindNodes'),
      entry(1, 'entered', 'Mode'),
      entry(1, 'entered', 'Facts'),
      entry(2, 'entered', 'Facts: send'),
      entry(3, 'exited', 'Facts: send'),
      entry(4, 'exited', 'Facts'),
    ]),
  ).toEqual([
    ['FindNodes', 0, 1],
    ['Facts', 1, 4],
  ]);
});

test('a state that failed ended when the next one began', () => {
  expect(told([entry(0, 'entered', 'RestoreData'), entry(7, 'entered', 'Rollback'), entry(9, 'exited', 'Rollback')])).toEqual([
    ['RestoreData', 0, 7],
    ['Rollback', 7, 9],
  ]);
});

test('a state that was redriven lasted from its first beginning to its last end', () => {
  expect(
    told([
      entry(0, 'entered', 'Stage'),
      entry(50, 'entered', 'Stage'),
      entry(60, 'exited', 'Stage'),
      entry(60, 'entered', 'PromiseRevisions'),
    ]),
  ).toEqual([
    ['Stage', 0, 60],
    ['PromiseRevisions', 60, 100],
  ]);
});
