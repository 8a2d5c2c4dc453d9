import { MaterializeEvent } from '../../lambdas/contract/restore-events';

const event = { restoreId: 'restore-2026_1', snapshotId: '20261116T110000Z-00000001' };

test('an event names a restore and a snapshot, and allows nothing that is not verified', () => {
  expect(MaterializeEvent.parse(event)).toEqual({ ...event, allowUnverified: false });
});

test.each([
  ['a restore id that leaves its folder', { restoreId: '../snapshots' }],
  ['an empty restore id', { restoreId: '' }],
  ['a restore id longer than a name of an execution', { restoreId: 'x'.repeat(81) }],
  ['a snapshot id that is none', { snapshotId: 'latest' }],
])('%s is refused', (_what, change) => {
  expect(MaterializeEvent.safeParse({ ...event, ...change }).success).toBe(false);
});
