import { History, judgePrune } from '../../../local/soak/history';
import { newSnapshotId } from '../../../lambdas/contract/s3-keys';
import { NOW, daysBefore, manifest, policy } from '../../backup/snapshots';

const taken = (daysOld: number) => {
  const takenAt = daysBefore(daysOld);
  return manifest({ id: newSnapshotId(takenAt, Buffer.alloc(4)), takenAt: takenAt.toISOString(), revision: 1_000 - daysOld });
};
const [today, yesterday, before] = [taken(0), taken(1), taken(2)] as const;
const ids = (...manifests: readonly (typeof today)[]) => manifests.map(({ id }) => id).sort();
const rules = policy({ floor: 2 });

describe('the history of a soak', () => {
  test('is what the policy leaves of everything that was ever listed', () => {
    const history = new History(rules);
    history.saw([before]);
    history.saw([before, yesterday]);
    history.pruned(daysBefore(1));
    history.saw([before, yesterday, today]);

    expect(history.left()).toEqual(ids(today, yesterday, before));
    history.pruned(NOW);
    expect(history.left()).toEqual(ids(today, yesterday));
    expect(ids(...history.taken)).toEqual(ids(today, yesterday, before));
  });

  test('does not bring back what was pruned and is still listed', () => {
    const history = new History(rules);
    history.saw([before, yesterday, today]);
    history.pruned(NOW);
    history.saw([before, yesterday, today]);

    expect(history.left()).toEqual(ids(today, yesterday));
  });
});

describe('a pruning', () => {
  const all = [before, yesterday, today];
  const kept = ids(yesterday, today);

  test.each([
    ['left what the policy keeps', [yesterday, today], { kept, undone: 0 }, []],
    ['was refused one removal, and said so', all, { kept, undone: 1 }, []],
    ['left one that the policy rejects, and did not say so', all, { kept, undone: 0 }, [/1 snapshots stay that the policy rejects/]],
    ['was killed before it had removed anything', all, undefined, []],
    ['removed one that the policy keeps', [today], { kept, undone: 0 }, [/was pruned, and stays as floor/]],
    ['removed one that the policy keeps, and was killed', [today], undefined, [/was pruned, and stays as floor/]],
    ['decided otherwise than the policy', [yesterday, today], { kept: ids(today), undone: 0 }, [/decided to remove/]],
  ])('that %s', (_what, after, told, problems) => {
    const found = judgePrune({ before: all, after, at: NOW, ...(told && { told }) }, rules);

    expect(found).toEqual(problems.map((problem) => expect.stringMatching(problem) as string));
  });
});
