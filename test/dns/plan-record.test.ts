import type { CurrentZone, Desired, Evidence, Policy, RecordPlan, RecordSet } from '../../lambdas/dns/plan-record';
import { writtenOf } from '../../lambdas/dns/plan-record';
import { heritageText } from '../../lambdas/dns/ownership';
import { normalName } from '../../lambdas/dns/record-name';
import { applyChanges } from './zone-model';
import { BALANCER, NAME, NODES, OURS, a, alias, foreign, nodes, plan, txt, zone } from './zones';

describe('what is written', () => {
  test.each<[string, CurrentZone, Desired, string, string[]]>([
    ['a name that is free: its record and the note whose it is, in one batch', zone(), NODES, 'missing', [`A ${NAME}`, `TXT a-${NAME}`]],
    ['an alias for a balancer', zone(), BALANCER, 'missing', [`A ${NAME}`, `TXT a-${NAME}`]],
    [
      'both families for a balancer that has both',
      zone(),
      { ...BALANCER, dualstack: true },
      'missing',
      [`A ${NAME}`, `AAAA ${NAME}`, `TXT a-${NAME}`, `TXT aaaa-${NAME}`],
    ],
    ['what the target has become', zone(a(['10.0.1.10']), OURS), NODES, 'target-changed', [`A ${NAME}`]],
    ['a record whose note is gone: nothing but the note', zone(nodes), NODES, 'ownership-missing', [`TXT a-${NAME}`]],
    ['a note whose record is gone', zone(OURS), NODES, 'missing', [`A ${NAME}`]],
    ['a TTL that somebody changed', zone(a(nodes.values as string[], { ttl: 3600 }), OURS), NODES, 'target-changed', [`A ${NAME}`]],
    [
      'an alias that does not ask for health',
      zone(alias(BALANCER.dnsName, { evaluateTargetHealth: false }), OURS),
      BALANCER,
      'drifted',
      [`A ${NAME}`],
    ],
    ['addresses in the place of an alias', zone(alias(BALANCER.dnsName), OURS), NODES, 'target-changed', [`A ${NAME}`]],
  ])('%s', (_sentence, current, desired, because, expected) => {
    const found = plan(current, desired, { written: writtenOf(current.records) });

    expect({ action: found.action, because: found.because }).toEqual({ action: 'write', because });
    expect(found.changes.map(({ record }) => `${record.type} ${record.name}`)).toEqual(expected);
    expect(new Set(found.changes.map(({ action }) => action))).toEqual(new Set(['UPSERT']));
  });

  test('an A record stays where only AAAA is wanted: nothing but AAAA ever goes', () => {
    const { changes } = plan(zone(nodes, OURS), { kind: 'addresses', addresses: ['2001:db8::5'] });

    expect(changes.map(({ action, record }) => `${action} ${record.type}`)).toEqual(['UPSERT AAAA', 'UPSERT TXT']);
  });

  test('an A record that is adopted and stays is noted beside the AAAA, or the next round would take it for a stranger’s', () => {
    const six: Desired = { kind: 'addresses', addresses: ['2001:db8::5'] };
    const before = zone(nodes);

    const { changes } = plan(before, six, {}, { adopt: true });

    expect(changes.map(({ action, record }) => `${action} ${record.type} ${record.name}`)).toEqual([
      `UPSERT AAAA ${NAME}`,
      `UPSERT TXT aaaa-${NAME}`,
      `UPSERT TXT a-${NAME}`,
    ]);
    expect(plan(applyChanges(before, changes), six)).toMatchObject({ action: 'none' });
  });

  test('a long token in the name itself claims nothing, and stays', () => {
    const token = `"${'c0ffee'.repeat(30)}"`;
    const before = zone(txt(NAME, token));

    const found = plan(before);

    expect(found.action).toBe('write');
    expect(applyChanges(before, found.changes).records).toContainEqual(txt(NAME, token));
  });

  describe('a family that the balancer has no more', () => {
    const six = { ...alias('old.elb.amazonaws.com'), type: 'AAAA' };
    const noted = [OURS, txt(`aaaa-${NAME}.`, heritageText('prod'))];
    const said = ({ changes }: RecordPlan) => changes.map(({ action, record }) => `${action} ${record.type}`);

    test('goes in the batch that writes the other, and its note stays', () => {
      expect(said(plan(zone(alias('old.elb.amazonaws.com'), six, ...noted), BALANCER))).toEqual(['UPSERT A', 'DELETE AAAA']);
    });

    test('goes where the other is right already', () => {
      const before = zone(alias(BALANCER.dnsName), six, ...noted);
      const found = plan(before, BALANCER);

      expect(said(found)).toEqual(['DELETE AAAA']);
      expect(plan(applyChanges(before, found.changes), BALANCER).action).toBe('none');
    });

    test('goes by what was written, when its note is gone', () => {
      const records = [alias(BALANCER.dnsName), six];

      expect(said(plan(zone(...records, OURS), BALANCER, { written: writtenOf(records) }))).toEqual(['DELETE AAAA']);
    });

    test('stays while nothing answers by the other', () => {
      expect(plan(zone(alias(BALANCER.dnsName), six, ...noted), BALANCER, { answering: 0 }).action).toBe('hold');
    });

    test('stays when nobody has noted that it is the lifeboat’s, and keeps the A record from nothing', () => {
      const found = plan(zone(alias('old.elb.amazonaws.com'), six, OURS), BALANCER);

      expect(said(found)).toEqual(['UPSERT A']);
      expect(found).toMatchObject({ because: 'target-changed', drifted: true, beside: [six] });
      expect(found.message).toMatch(/; AAAA old\.elb\.amazonaws\.com beside it is not the lifeboat's: .*adopt/);
    });

    test('is not written over either, when nobody has noted that it is the lifeboat’s', () => {
      const found = plan(zone(alias('old.elb.amazonaws.com'), six, OURS), { ...BALANCER, dualstack: true });

      expect(said(found)).toEqual(['UPSERT A']);
      expect(found.beside).toEqual([six]);
    });

    test('goes with whatever else was somebody’s, when the name is adopted', () => {
      const found = plan(zone(alias('old.elb.amazonaws.com'), six), BALANCER, {}, { adopt: true });

      expect(said(found)).toEqual(['UPSERT A', 'UPSERT TXT', 'DELETE AAAA']);
      expect(found.beside).toEqual([]);
    });
  });

  test.each<[string, RecordSet, Desired]>([
    ['in another order and another case', a(['10.0.3.10', '10.0.1.10', '10.0.2.10'], { name: 'API.k8s.example.com.' }), NODES],
    ['with the prefix of the console', alias('dualstack.API-0a.elb.eu-central-1.amazonaws.com.'), BALANCER],
  ])('nothing where the record is as it should be, %s', (_sentence, record, desired) => {
    expect(plan(zone(record, OURS), desired)).toMatchObject({ action: 'none', because: 'as-desired', changes: [] });
  });

  test('keeps what else is noted beside its own claim', () => {
    const { changes } = plan(zone(txt(`a-${NAME}.`, '"v=spf1 -all"')));

    expect(changes.find(({ record }) => record.type === 'TXT')?.record.values).toEqual([heritageText('prod'), '"v=spf1 -all"']);
  });

  test.each<[string, RecordSet, Desired, RecordSet, string]>([
    ['where it leads', a(['192.0.2.66']), NODES, nodes, 'A 192.0.2.66 → A 10.0.1.10, 10.0.2.10, 10.0.3.10'],
    [
      'how long it may be kept',
      a([...nodes.values], { ttl: 86400 }),
      NODES,
      nodes,
      'A 10.0.1.10, 10.0.2.10, 10.0.3.10 for 86400 s → A 10.0.1.10, 10.0.2.10, 10.0.3.10 for 30 s',
    ],
    [
      'whether health is asked for',
      alias(BALANCER.dnsName, { evaluateTargetHealth: false }),
      BALANCER,
      alias(BALANCER.dnsName),
      `A ${BALANCER.dnsName} healthy or not (Z3F0SRJ5LGBH90) → A ${BALANCER.dnsName} while healthy (Z3F0SRJ5LGBH90)`,
    ],
    [
      'an alias in the place of addresses',
      alias('evil.example.com'),
      NODES,
      nodes,
      'A evil.example.com → A 10.0.1.10, 10.0.2.10, 10.0.3.10',
    ],
  ])('heals what somebody else made of it, and says what it was: %s', (_what, there, desired, before, message) => {
    expect(plan(zone(there, OURS), desired, { written: writtenOf([before]) })).toMatchObject({
      ...{ action: 'write', because: 'drifted', drifted: true, message },
    });
  });

  test('what was remembered before TTLs were is no drift', () => {
    const written = writtenOf([nodes]).map(({ ttl: _ttl, ...rest }) => rest);

    expect(plan(zone(nodes, OURS), NODES, { written })).toMatchObject({ action: 'none', drifted: false });
  });

  test('a name that leads nowhere waits for no lock', () => {
    expect(plan(zone(OURS), NODES, { lockedBy: 'rotate-7' })).toMatchObject({ action: 'write', because: 'missing' });
  });

  test('in a zone that is made for the name, the note lies in the name itself, beside what else does', () => {
    const own: CurrentZone = { ...zone(txt(`${NAME}.`, '"v=spf1 -all"')), name: `${NAME}.` };

    const found = plan(own);

    expect(found.changes.map(({ action, record }) => `${action} ${record.type} ${normalName(record.name)}`)).toEqual([
      `UPSERT A ${NAME}`,
      `UPSERT TXT ${NAME}`,
    ]);
    expect(found.changes[1]?.record.values).toEqual([heritageText('prod'), '"v=spf1 -all"']);
    expect(plan(applyChanges(own, found.changes)).action).toBe('none');
  });
});

describe('what is left alone', () => {
  test.each<[string, CurrentZone, Partial<Evidence>, Partial<Policy>, 'refuse' | 'hold', string, RegExp]>([
    [
      'a name that is not in the zone',
      { ...zone(), name: 'example.org.' },
      {},
      {},
      'refuse',
      'outside-the-zone',
      /not in the zone example\.org/,
    ],
    ['a zone whose name only ends alike', { ...zone(), name: '8s.example.com.' }, {}, {}, 'refuse', 'outside-the-zone', /zoneId/],
    [
      'the zone of the same name on the other side',
      { ...zone(), visibility: 'public' },
      {},
      {},
      'refuse',
      'other-visibility',
      /is public.*private/,
    ],
    [
      'a CNAME',
      zone({ name: NAME, type: 'CNAME', ttl: 60, values: ['elsewhere.example.com'] }),
      {},
      {},
      'refuse',
      'conflicting-record',
      /CNAME of elsewhere/,
    ],
    ['a weighted record', zone(a(['10.9.9.9'], { setIdentifier: 'blue' })), {}, {}, 'refuse', 'conflicting-record', /"blue"/],
    [
      'a record of external-dns',
      zone(nodes, txt(`a-${NAME}`, foreign('cluster-1'))),
      {},
      {},
      'refuse',
      'foreign-owner',
      /belongs to cluster-1.*adopt/,
    ],
    [
      'one of external-dns before 0.18',
      zone(a(['10.9.9.9']), txt(NAME, foreign('cluster-1'))),
      {},
      {},
      'refuse',
      'foreign-owner',
      /cluster-1/,
    ],
    [
      'one that it noted as an alias',
      zone(a(['10.9.9.9']), txt(`cname-${NAME}`, foreign('cluster-1'))),
      {},
      {},
      'refuse',
      'foreign-owner',
      /cname-/,
    ],
    [
      'one of another lifeboat',
      zone(a(['10.9.9.9']), txt(`a-${NAME}`, heritageText('prod-eu'))),
      {},
      {},
      'refuse',
      'foreign-owner',
      /kube-lifeboat\/prod-eu/,
    ],
    [
      'a name that is only claimed by somebody',
      zone(txt(`aaaa-${NAME}`, foreign('cluster-1'))),
      {},
      {},
      'refuse',
      'foreign-owner',
      /aaaa-/,
    ],
    ['a record that nobody claims', zone(a(['10.9.9.9'])), {}, {}, 'refuse', 'not-ours', /10\.9\.9\.9 already.*\{"adopt":true\}/],
    [
      'a record that nobody claims, and is not what was written',
      zone(a(['10.9.9.9'])),
      { written: writtenOf([nodes]) },
      {},
      'refuse',
      'not-ours',
      /adopt/,
    ],
    [
      'one whose A record was replaced and its note taken away, though a note of the other family is left',
      zone(a(['10.9.9.9']), txt(`aaaa-${NAME}`, heritageText('prod'))),
      {},
      {},
      'refuse',
      'not-ours',
      /10\.9\.9\.9/,
    ],
    [
      'one that is claimed by a note that cannot be read',
      zone(txt(`a-${NAME}`, `"${Buffer.alloc(120, 0xa5).toString('base64')}"`)),
      {},
      {},
      'refuse',
      'foreign-owner',
      /belongs to somebody/,
    ],
    ['an AAAA that is all there is, and nobody’s', zone(a(['2001:db8::1'], { type: 'AAAA' })), {}, {}, 'refuse', 'not-ours', /2001:db8::1/],
    ['everything while nothing answers', zone(a(['10.0.9.9']), OURS), { answering: 0 }, {}, 'hold', 'nothing-answers', /stays as it is/],
    [
      'certificates without the name',
      zone(a(['10.0.9.9']), OURS),
      { withoutName: ['10.0.1.10:6443'] },
      {},
      'hold',
      'name-not-in-certificate',
      /10\.0\.1\.10:6443/,
    ],
    [
      'a control plane that somebody works on',
      zone(a(['10.0.9.9']), OURS),
      { lockedBy: 'restore-7' },
      {},
      'hold',
      'locked',
      /restore-7 works/,
    ],
    [
      'one that another runbook works on',
      zone(a(['10.0.9.9']), OURS),
      { lockedBy: 'restore-7' },
      { onBehalfOf: 'restore-6' },
      'hold',
      'locked',
      /restore-7/,
    ],
  ])('%s', (_sentence, current, evidence, policy, action, because, message) => {
    const found = plan(current, NODES, evidence, policy);

    expect(found).toMatchObject({ action, because, changes: [] });
    expect(found.message).toMatch(message);
  });

  describe('a name whose questions are led to another zone', () => {
    const ns = (name: string): RecordSet => ({ name, type: 'NS', ttl: 300, values: ['ns-1.awsdns-1.com.'] });
    const open = (...records: RecordSet[]): CurrentZone => ({ name: 'example.com.', visibility: 'public', records });
    const PUBLIC = { visibility: 'public' } as const;

    test.each([NAME, 'K8S.example.com.'])('by the NS record at %s', (name) => {
      const found = plan(open(ns(name), nodes, OURS), NODES, {}, PUBLIC);

      expect(found).toMatchObject({ action: 'refuse', because: 'delegated', changes: [] });
      expect(found.message).toMatch(/has a zone of its own/);
    });

    test('and not by the one of the zone itself, or of a neighbour, or in a private zone', () => {
      expect(plan(open(ns('example.com.'), ns('www.example.com'), nodes, OURS), NODES, {}, PUBLIC).action).toBe('none');
      expect(plan({ ...open(ns(NAME), nodes, txt(NAME, heritageText('prod'))), name: `${NAME}.` }, NODES, {}, PUBLIC).action).toBe('none');
      expect(plan({ ...open(ns('k8s.example.com.'), nodes, OURS), visibility: 'private' }).action).toBe('none');
    });
  });

  test.each<[string, number, string]>([
    ['as many addresses as Route 53 takes in one batch are written', 499, 'write'],
    ['one more is refused', 500, 'refuse'],
  ])('%s', (_sentence, count, action) => {
    const addresses = Array.from({ length: count }, (_, index) => `10.0.${Math.floor(index / 250)}.${index % 250}`);

    const found = plan(zone(), { kind: 'addresses', addresses });

    expect(found.action).toBe(action);
    if (action === 'refuse') expect(found).toMatchObject({ because: 'too-large', changes: [] });
  });

  test('texts of others that leave no room in the batch are refused, too', () => {
    const others = Array.from({ length: 130 }, (_, index) => `"v=${String(index).padStart(120, ' ')}"`);

    expect(plan(zone(txt(`a-${NAME}`, ...others)))).toMatchObject({ action: 'refuse', because: 'too-large' });
  });

  test('never becomes empty', () => {
    expect(plan(zone(nodes, OURS), { kind: 'addresses', addresses: [] })).toMatchObject({
      action: 'hold',
      because: 'nothing-answers',
      changes: [],
    });
  });
});

describe('what is allowed all the same', () => {
  test('the runbook that holds the lock may ask for a change', () => {
    expect(plan(zone(a(['10.0.9.9']), OURS), NODES, { lockedBy: 'restore-7' }, { onBehalfOf: 'restore-7' }).action).toBe('write');
  });

  test('an address that goes needs no certificate', () => {
    const fewer: Desired = { kind: 'addresses', addresses: ['10.0.1.10', '10.0.2.10'] };

    expect(plan(zone(nodes, OURS), fewer, { withoutName: ['10.0.1.10:6443'] }).action).toBe('write');
  });

  test('adoption makes the claim of whoever had it ours where it stands, and deletes nothing', () => {
    const before = zone(a(['10.9.9.9']), txt(NAME, foreign('cluster-1'), '"v=spf1 -all"'), txt(`cname-${NAME}`, foreign('cluster-1')));

    const found = plan(before, NODES, {}, { adopt: true });
    const after = applyChanges(before, found.changes);

    expect(found.because).toBe('adopted');
    expect(plan(after)).toMatchObject({ action: 'none' });
    expect(new Set(found.changes.map(({ action }) => action))).toEqual(new Set(['UPSERT']));
    expect(after.records).toContainEqual(txt(NAME, heritageText('prod'), '"v=spf1 -all"'));
    expect(after.records).toContainEqual(txt(`cname-${NAME}`, heritageText('prod')));
  });
});
