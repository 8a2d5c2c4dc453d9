import fc from 'fast-check';
import { approve } from '../../lambdas/authorities/approval';
import { dropCross } from '../../lambdas/authorities/drop-cross';
import { advanceTo, close, signerOf } from '../../lambdas/authorities/generations';
import { isNeeded, prune } from '../../lambdas/authorities/prune';
import type { KeptSnapshot } from '../../lambdas/authorities/prune';
import { pathOf } from '../../lambdas/authorities/rotation-path';
import type { AuthoritySecret } from '../../lambdas/contract/certificates';
import type { Era } from '../../lambdas/contract/pki-generations';
import { NOW, inDays } from '../pki/pki-world';
import { begun, idOf, step } from './pki';

const distrusted = (): AuthoritySecret =>
  pathOf('planned')
    .slice(1)
    .reduce((document, next) => advanceTo(approve(document, 'ann', step), next, step), begun());
/** The first generation is closed now, the second one signs. */
const closed = (): AuthoritySecret => close(dropCross(distrusted(), step), step);

const era = (issuing: number, ...others: number[]): Era => ({ issuing: idOf(issuing), trusted: [issuing, ...others].map(idOf) });
const taken = (days: number, etcd?: Era): KeptSnapshot => ({ takenAt: inDays(days), eras: etcd === undefined ? {} : { etcd } });

describe('pruning', () => {
  test.each<[string, readonly KeptSnapshot[] | undefined, number]>([
    ['a snapshot tells nothing', undefined, 2],
    ['there are no snapshots, or none was listed', [], 2],
    ['a snapshot is left from before it was closed, which names nothing', [taken(-1)], 2],
    ['a snapshot is left from when it was closed', [taken(0)], 2],
    ['all snapshots are younger, and name nothing', [taken(1)], 1],
    ['all snapshots are younger, and name the next one', [taken(1, era(2)), taken(2, era(2))], 1],
    ['a younger one names it still, since it was noted late', [taken(1, era(2, 1)), taken(2, era(2))], 2],
    ['an old one names another', [taken(-1, era(2))], 2],
    ['only another authority is named', [{ takenAt: inDays(1), eras: { cluster: era(1) } }], 1],
  ])('when %s', (_sentence, kept, left) => expect(prune('etcd', closed(), kept).generations).toHaveLength(left));

  test('leaves alone what is not closed', () => expect(prune('etcd', distrusted(), [taken(1, era(2))])).toEqual(distrusted()));

  test('of a generation that was minted, snapshots from before it need nothing', () => {
    const generation = { id: idOf(1), mintedAt: NOW.toISOString(), closedAt: inDays(10).toISOString() };

    expect([-1, 0, 10, 11].map((day) => isNeeded('etcd', generation, [taken(day)]))).toEqual([false, true, true, false]);
  });

  test('of a key pair of service accounts, the snapshots that name it keep it', () => {
    const pair = { id: idOf(1), mintedAt: NOW.toISOString(), closedAt: inDays(1).toISOString() };
    const naming: KeptSnapshot = { takenAt: inDays(2), eras: { 'service-accounts': era(2, 1) } };

    expect(isNeeded('service-accounts', pair, [naming])).toBe(true);
    expect(isNeeded('service-accounts', pair, [taken(2, era(2, 1))])).toBe(false);
  });

  const snapshots = fc.array(
    fc.record({ day: fc.integer({ min: -5, max: 5 }), named: fc.option(fc.subarray([1, 2, 3], { minLength: 1 }), { nil: undefined }) }),
    { minLength: 1, maxLength: 6 },
  );

  test('never takes what signs or a snapshot names, whatever is kept, and a second time nothing more', () => {
    fc.assert(
      fc.property(snapshots, (all) => {
        const kept = all.map(({ day, named: [first, ...others] = [] }) =>
          taken(day, first === undefined ? undefined : era(first, ...others)),
        );
        const document = closed();

        const pruned = prune('etcd', document, kept);

        const left = pruned.generations.map(({ id }) => id);
        const named = new Set(kept.flatMap(({ eras }) => eras.etcd?.trusted ?? []));
        expect(left).toContain(signerOf(document).id);
        for (const { id } of document.generations) if (named.has(id)) expect(left).toContain(id);
        const old = all.some(({ day, named: ids }) => day <= 0 || ids?.includes(1) === true);
        expect(left.includes(idOf(1))).toBe(old);
        expect(prune('etcd', pruned, kept)).toEqual(pruned);
      }),
    );
  });

  test('takes no more when more snapshots are kept', () => {
    fc.assert(
      fc.property(snapshots, snapshots, (some, more) => {
        const of = (all: typeof some) =>
          all.map(({ day, named: [first, ...others] = [] }) => taken(day, first === undefined ? undefined : era(first, ...others)));

        const few = prune('etcd', closed(), of(some)).generations.map(({ id }) => id);

        expect(prune('etcd', closed(), of([...some, ...more])).generations.map(({ id }) => id)).toEqual(expect.arrayContaining(few));
      }),
    );
  });
});
