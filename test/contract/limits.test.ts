import { DISK_HEADROOM_GIB, maxSnapshotBytes } from '../../lambdas/contract/limits';

const GIB = 1024 ** 3;

test('a database that has just passed its quota still fits, and so does its file on the disk', () => {
  const full = 8 * GIB + 64 * 1024 ** 2;

  expect(maxSnapshotBytes(8)).toBeGreaterThan(full);
  expect(maxSnapshotBytes(8)).toBeLessThan(0.95 * (8 + DISK_HEADROOM_GIB) * GIB);
});
