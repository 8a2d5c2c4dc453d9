import fc from 'fast-check';
import { PkiName } from '../../lambdas/contract/pki-generations';
import type { Era, Eras } from '../../lambdas/contract/pki-generations';
import { PlannedEra } from '../../lambdas/contract/restore';
import { judgeEras } from '../../lambdas/restore/judge-eras';

const id = (number: number): string => String(number).repeat(64);
const era = (issuing: number, ...others: number[]): Era => ({ issuing: id(issuing), trusted: [issuing, ...others].map(id) });
const underWay = (state: 'TRUSTED' | 'SOAKING'): Era => ({ ...era(1, 2), rotation: { id: 'r-1', state } });
const only = (of: PkiName, then: Era | undefined, now: Era | undefined, mode: Parameters<typeof judgeEras>[2] = 'in-place') => {
  const [first] = judgeEras({ ...(then && { [of]: then }) }, { ...(now && { [of]: now }) }, mode);
  return first;
};

test.each<[string, PkiName, Era | undefined, Era | undefined, PlannedEra['decision'], RegExp]>([
  ['the same generation', 'cluster', era(1), era(1), 'same', /^as today$/],
  ['both that are trusted still', 'cluster', era(1, 2), era(2, 1), 'same', /^what was trusted then is trusted today$/],
  [
    'a CA that nobody trusts any more',
    'cluster',
    era(1),
    era(2),
    'heal',
    /time of 1{16}…, which nobody trusts any more, and .* not name 2{16}…/,
  ],
  ['a CA beside which another came', 'cluster', era(1), era(1, 2), 'heal', /^the data does not name 2{16}…: controller-managers publish/],
  [
    'a CA from which another went',
    'front-proxy',
    era(2, 1),
    era(2),
    'heal',
    /^the data is of the time of 1{16}…, which nobody trusts any more: /,
  ],
  ['a CA that nobody knew', 'cluster', undefined, era(2), 'heal', /^the snapshot does not say by what the cluster lived: /],
  ['a CA that nobody knows', 'cluster', era(1), undefined, 'tell', /^nobody noted by what the cluster lives now: look whether kube-root/],
  ['etcd’s, beside which another came', 'etcd', era(1), era(1, 2), 'same', /^as today$/],
  ['etcd’s that is gone', 'etcd', era(1), era(2), 'tell', /Secrets by which somebody reaches etcd/],
  ['tokens by a key that verifies still', 'service-accounts', era(1), era(2, 1), 'same', /trusted today/],
  ['tokens by a key that is gone', 'service-accounts', era(1), era(2), 'tell', /kubectl get secrets -A/],
  ['tokens of which nobody knows the key', 'service-accounts', undefined, era(2), 'tell', /does not say.*kubectl get secrets/],
])('of %s', (_sentence, of, then, now, decision, because) => {
  const planned = only(of, then, now);

  expect(PlannedEra.parse(planned)).toEqual({
    of,
    then: then ?? null,
    now: now ?? null,
    decision,
    because: expect.stringMatching(because) as string,
  });
});

test('the state of a rotation is the one that is recorded, and not the one of the snapshot', () => {
  const planned = only('cluster', underWay('SOAKING'), underWay('TRUSTED'));

  expect(planned).toMatchObject({ decision: 'same', because: 'as today; rotation r-1 stays in TRUSTED, and goes on' });
});

test('nodes elsewhere bring a PKI of their own, which nobody heals', () => {
  expect(only('cluster', era(1), era(2), 'elsewhere')).toMatchObject({
    decision: 'tell',
    because: expect.stringMatching(/these nodes bring a PKI of their own: look whether/) as string,
  });
});

test('of a drill nothing is said, since nothing of it stays', () =>
  expect(judgeEras({ etcd: era(1) }, { etcd: era(2) }, 'drill')).toEqual([]));

const eras: fc.Arbitrary<Eras> = fc
  .array(fc.tuple(fc.constantFrom(...PkiName.options), fc.subarray([1, 2, 3], { minLength: 1 })))
  .map((all) => Object.fromEntries(all.map(([of, [issuing = 1, ...others]]) => [of, era(issuing, ...others)])));

test('whatever is known: everything known is judged once, and what is the same is left alone', () => {
  fc.assert(
    fc.property(eras, eras, (then, now) => {
      const judged = judgeEras(then, now, 'in-place');

      expect(judged.map(({ of }) => of).sort()).toEqual([...new Set([...Object.keys(then), ...Object.keys(now)])].sort());
      for (const { of, decision } of judged) {
        const [before, today] = [then[of]?.trusted ?? [], now[of]?.trusted ?? []];
        const gone = before.some((each) => !today.includes(each));
        if (decision === 'same') expect(gone).toBe(false);
        // Only what the lifeboat holds now can it write.
        if (decision === 'heal') expect([today.length > 0, ['cluster', 'front-proxy'].includes(of)]).toEqual([true, true]);
      }
      expect(judgeEras(now, now, 'in-place').every(({ decision }) => decision === 'same')).toBe(true);
    }),
  );
});
