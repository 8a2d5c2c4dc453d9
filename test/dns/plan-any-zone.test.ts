import fc from 'fast-check';
import type { CurrentZone, RecordSet } from '../../lambdas/dns/plan-record';
import { heritageText } from '../../lambdas/dns/ownership';
import { isWithin, normalName, sameName } from '../../lambdas/dns/record-name';
import { addressesAt, applyChanges } from './zone-model';
import { NAME, a, alias, foreign, plan, txt, zone } from './zones';

describe('for any zone and any target', () => {
  const ip = fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom('10.0.0.', '10.0.0.', '2001:db8::'))
    .map(([last, net]) => `${net}${last}`);
  const ip4 = ip.filter((address) => !address.includes(':'));
  const desired = fc.oneof(
    fc.record({ kind: fc.constant('addresses' as const), addresses: fc.uniqueArray(ip, { minLength: 0, maxLength: 4 }) }),
    fc.record({
      kind: fc.constant('alias' as const),
      dnsName: fc.constantFrom('one.elb.amazonaws.com', 'Two.elb.amazonaws.com.'),
      zoneId: fc.constant('Z3F0SRJ5LGBH90'),
      dualstack: fc.boolean(),
    }),
  );
  const owner = fc.constantFrom(heritageText('prod'), foreign('cluster-1'), '"v=spf1 -all"');
  const record = fc.oneof(
    fc.uniqueArray(ip4, { minLength: 1, maxLength: 3 }).map((values) => a(values)),
    fc.constantFrom('2001:db8::1', '2001:db8::2').map((value) => a([value], { type: 'AAAA' })),
    fc.constant(alias('old.elb.amazonaws.com')),
    fc
      .tuple(fc.constantFrom('a-', 'aaaa-', 'cname-', ''), fc.uniqueArray(owner, { minLength: 1 }))
      .map(([prefix, values]) => txt(`${prefix}${NAME}`, ...values)),
    fc.constantFrom('www', 'a-www').map((label) => ({ ...a(['10.7.7.7']), name: `${label}.k8s.example.com` })),
    fc.constant({ name: NAME, type: 'CNAME', ttl: 60, values: ['x.example.com'] }),
  );
  const records = fc
    .uniqueArray(record, { maxLength: 6, selector: ({ name, type }) => `${normalName(name)} ${type}` })
    .filter(
      (all) =>
        !all.some(({ type }) => type === 'CNAME') || all.every(({ name, type }) => type === 'CNAME' || name.replace(/\.$/, '') !== NAME),
    );
  const evidence = fc.record({
    answering: fc.integer({ min: 0, max: 3 }),
    withoutName: fc.constantFrom([], ['10.0.0.1:6443']),
    lockedBy: fc.constantFrom(undefined, 'restore-7'),
  });
  /** One zone for many names, and one that is made for this name. */
  const zoneName = fc.constantFrom('k8s.example.com.', `${NAME}.`);
  const world = fc.record({ zoneName, records, desired, evidence, adopt: fc.boolean() });
  type Drawn = typeof world extends fc.Arbitrary<infer T> ? T : never;
  const planned = ({ zoneName: within, records: all, desired: target, evidence: found, adopt }: Drawn) => {
    const { lockedBy, ...rest } = found;
    const before = { ...zone(...all.filter(({ name }) => isWithin(name, within))), name: within };
    const made = plan(before, target, { ...rest, ...(lockedBy !== undefined && { lockedBy }) }, { adopt });
    return { before, made, after: applyChanges(before, made.changes) };
  };

  test('the name that leads somewhere never leads nowhere afterwards', () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { before, after } = planned(drawn);
        if (addressesAt(before, NAME).length > 0) expect(addressesAt(after, NAME)).not.toEqual([]);
      }),
    );
  });

  test('a second plan has nothing to do', () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { made, after } = planned(drawn);
        if (made.action === 'write') expect(plan(after, drawn.desired)).toMatchObject({ action: 'none' });
      }),
    );
  });

  test('no other name is touched, and what another owner claims only when it is adopted', () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { before, made } = planned(drawn);
        const own = [NAME, `a-${NAME}`, `aaaa-${NAME}`, `cname-${NAME}`];
        for (const { record: changed } of made.changes) expect(own).toContain(changed.name.replace(/\.$/, ''));
        const claimed = before.records.some(({ type, values }) => type === 'TXT' && values.includes(foreign('cluster-1')));
        if (claimed && !drawn.adopt) expect(made.changes).toEqual([]);
      }),
    );
  });

  test('the one thing that is ever deleted is the AAAA of ours, beside an A record', () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { made, after } = planned(drawn);
        for (const { record: deleted } of made.changes.filter(({ action }) => action === 'DELETE')) {
          expect(deleted.type).toBe('AAAA');
          expect(after.records.some(({ name, type }) => type === 'A' && sameName(name, NAME))).toBe(true);
          const noted = drawn.records.some(
            (each: RecordSet) => [`aaaa-${NAME}`, NAME].includes(normalName(each.name)) && each.values.includes(heritageText('prod')),
          );
          expect(noted || drawn.adopt).toBe(true);
        }
      }),
    );
  });

  test('texts of other purposes survive', () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { before, after } = planned(drawn);
        const others = (of: CurrentZone) =>
          of.records
            .flatMap(({ name, type, values }) =>
              type === 'TXT' ? values.filter((value) => value.includes('spf1')).map((value) => `${name} ${value}`) : [],
            )
            .map((line) => line.replace('. ', ' '))
            .sort();
        expect(others(after)).toEqual(others(before));
      }),
    );
  });

  test('nothing is written that nothing answers behind, nor over what is there under the lock of another', () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { before, made } = planned(drawn);
        if (drawn.evidence.lockedBy !== undefined && addressesAt(before, NAME).length > 0) expect(made.action).not.toBe('write');
        if (drawn.evidence.answering === 0 && made.action === 'write')
          expect(made.changes.every(({ record: { type } }) => type === 'TXT')).toBe(true);
      }),
    );
  });
});
