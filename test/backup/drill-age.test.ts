import { readEntry } from '../../lambdas/backup/catalog';
import { drillAgeSeconds } from '../../lambdas/backup/drill-age';
import type { StoredSnapshot } from '../../lambdas/backup/retention';
import type { Drill } from '../../lambdas/contract/manifest';
import { snapshotKey } from '../../lambdas/contract/s3-keys';
import { NOW, daysBefore, manifest, snapshot } from './snapshots';

const DAY = 86_400;
const drilled = (daysAgo: number): Pick<StoredSnapshot, 'drill'> => ({ drill: { kind: 'in-function', passedAt: daysBefore(daysAgo) } });

test.each<[string, StoredSnapshot[], number]>([
  [
    'is that of the drill that passed last, on whichever snapshot',
    [snapshot('a', { daysOld: 9, ...drilled(2) }), snapshot('b', drilled(5))],
    2,
  ],
  [
    'where none passed, is that of the oldest verified snapshot',
    [snapshot('a'), snapshot('b', { daysOld: 20 }), snapshot('c', { daysOld: 30, verified: false })],
    20,
  ],
  ['without anything to drill is nothing', [snapshot('c', { daysOld: 30, verified: false })], 0],
  ['of a drill by a clock that is ahead is nothing', [snapshot('a', drilled(-1))], 0],
])('the age %s', (_what, stored, days) => {
  expect(drillAgeSeconds(stored, NOW)).toBe(days * DAY);
});

const ID = '20261116T110000Z-00000001';
const drill = (kind: Drill['kind'], passed: boolean, minute: number): Drill => ({
  ...{ kind, passed, seconds: 1, by: 'x' },
  at: `2026-11-16T11:${minute}:00.000Z`,
});

test.each<[string, Drill[] | undefined, StoredSnapshot['drill']]>([
  ['none of one that was never drilled', undefined, undefined],
  ['the last that passed', [drill('in-function', true, 30)], { kind: 'in-function', passedAt: new Date('2026-11-16T11:30:00.000Z') }],
  [
    'a restore, and the time of a reading after it',
    [drill('in-function', true, 30), drill('restored', true, 20)],
    { kind: 'restored', passedAt: new Date('2026-11-16T11:30:00.000Z') },
  ],
  [
    'no restore that failed',
    [drill('in-function', true, 30), drill('restored', false, 20)],
    { kind: 'in-function', passedAt: new Date('2026-11-16T11:30:00.000Z') },
  ],
  ['nothing any more once one failed', [drill('in-function', false, 40), drill('restored', true, 20)], undefined],
])('a manifest tells retention of %s', (_what, drills, expected) => {
  const text = JSON.stringify(manifest({ id: ID, drills }));
  const entry = readEntry('prod', ID, text, { key: snapshotKey('prod', ID), bytes: 1000, lastModified: NOW });

  expect(entry).toMatchObject({ kind: 'snapshot' });
  expect(entry.kind === 'snapshot' && entry.snapshot.drill).toEqual(expected);
});
