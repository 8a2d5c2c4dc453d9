import fc from 'fast-check';
import { FAULTS, PRUNE_FAULTS, planSlots } from '../../../local/soak/plan';
import type { Slot } from '../../../local/soak/plan';

const SEEDS = fc.integer({ min: 0, max: 2 ** 31 });
const plain = (slots: readonly Slot[]) => slots.map(({ draw, ...slot }) => ({ ...slot, first: draw.below(1_000_000) }));

describe('the plan of a soak', () => {
  test('is the same for the same seed, and another for another', () => {
    fc.assert(fc.property(SEEDS, (seed) => expect(plain(planSlots(seed, 50))).toEqual(plain(planSlots(seed, 50)))));
    expect(plain(planSlots(1, 50))).not.toEqual(plain(planSlots(2, 50)));
  });

  test('begins and ends quietly, so that the last slot leaves everything as it should be', () => {
    fc.assert(
      fc.property(SEEDS, fc.integer({ min: 2, max: 60 }), (seed, backups) => {
        const slots = planSlots(seed, backups);
        expect([slots[0]?.fault, slots.at(-1)?.fault, slots.length]).toEqual([undefined, undefined, backups]);
      }),
    );
  });

  test('does everything that can go wrong in a long soak, and about every third slot', () => {
    fc.assert(
      fc.property(SEEDS, (seed) => {
        const slots = planSlots(seed, 200);
        const faults = slots.flatMap(({ fault }) => fault ?? []);
        expect(new Set(faults)).toEqual(new Set(FAULTS));
        expect(new Set(slots.flatMap(({ pruneFault }) => pruneFault ?? []))).toEqual(new Set(PRUNE_FAULTS));
        expect(faults.length).toBeGreaterThan(35);
        expect(faults.length).toBeLessThan(100);
      }),
      { numRuns: 50 },
    );
  });

  test('begins with the faults that no soak may miss, however short it is', () => {
    fc.assert(
      fc.property(SEEDS, (seed) => {
        const [first, second, third, fourth] = planSlots(seed, 200).flatMap(({ fault }) => fault ?? []);
        expect(new Set([first, second, third, fourth])).toEqual(
          new Set(['member-killed', 's3-is-down', 'function-killed-in-an-upload', 'lock-of-somebody']),
        );
      }),
      { numRuns: 50 },
    );
  });

  test('the choices of a slot do not depend on how many were made in another', () => {
    const [one, other] = [planSlots(7, 10), planSlots(7, 10)];
    for (let n = 0; n < 100; n++) one[3]!.draw.below(10);

    expect(one[4]!.draw.hex(32)).toBe(other[4]!.draw.hex(32));
    expect(one[4]!.draw.hex(32)).not.toBe(other[5]!.draw.hex(32));
  });
});
