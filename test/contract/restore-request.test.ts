import { DRILL_ON_MACHINES, RestoreRequest } from '../../lambdas/contract/restore';

test('a snapshot is taken before a restore unless the input says no, and anything else than yes or no is refused', () => {
  expect(RestoreRequest.parse({})).toMatchObject({ safetySnapshot: true });
  expect(RestoreRequest.parse(DRILL_ON_MACHINES)).toMatchObject({ safetySnapshot: true });
  expect(RestoreRequest.parse({ safetySnapshot: false })).toMatchObject({ safetySnapshot: false });
  expect(RestoreRequest.safeParse({ safetySnapshot: 'no' }).error?.issues).toMatchObject([{ path: ['safetySnapshot'] }]);
});

test('a roll-back takes none, so that a word about it is a mistake', () => {
  expect(RestoreRequest.safeParse({ rollBack: 'run-0', safetySnapshot: false }).error?.issues).toMatchObject([
    { path: ['safetySnapshot'], message: 'says nothing together with rollBack' },
  ]);
  expect(RestoreRequest.safeParse({ rollBack: 'run-0' }).success).toBe(true);
});
