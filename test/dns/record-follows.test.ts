// The record over many rounds: who is alive changes, the looker is cut off, others write into the zone, runbooks hold the lock.
import fc from 'fast-check';
import type { ApiRecordState, TargetMemory } from '../../lambdas/contract/api-record';
import { judgeTargets } from '../../lambdas/dns/judge-targets';
import { heritageText } from '../../lambdas/dns/ownership';
import { TTL_SECONDS, planApiRecord, writtenOf } from '../../lambdas/dns/plan-record';
import type { CurrentZone, Evidence, RecordPlan, RecordSet } from '../../lambdas/dns/plan-record';
import { sameName } from '../../lambdas/dns/record-name';
import { addressesAt, applyChanges } from './zone-model';

const NAME = 'api.k8s.example.com';
const NOTE = `a-${NAME}`;
const HOSTS = ['10.0.1.10', '10.0.2.10', '10.0.3.10', '10.0.4.10'];
const FOREIGN = '"heritage=external-dns,external-dns/owner=cluster-1,external-dns/resource=service/default/web"';
const SPF = '"v=spf1 -all"';

interface Round {
  readonly alive: readonly string[];
  /** Those that the looker reaches: he hears an answer of whoever is alive and reached. */
  readonly reached: readonly string[];
  /** Those of whom somebody else says rightly that they are dead. */
  readonly seenElsewhere: boolean;
  readonly locked: boolean;
  readonly stranger: (typeof STRANGERS)[number];
}
const STRANGERS = ['nobody', 'leads-it-astray', 'deletes-it', 'deletes-the-note', 'keeps-it-long', 'adds-aaaa', 'adds-text', 'claims-it', 'withdraws'] as const; // prettier-ignore

const record = (type: string, values: string[], name = NAME, ttl = TTL_SECONDS): RecordSet => ({ name, type, ttl, values });
const isAt = (name: string, type: string) => (each: RecordSet) => each.type === type && sameName(each.name, name);

/** What somebody else does to the zone, by the rules of Route 53 and by nobody else's. */
function meddle(zone: CurrentZone, stranger: Round['stranger']): CurrentZone {
  const put = (made: RecordSet): CurrentZone => applyChanges(zone, [{ action: 'UPSERT', record: made }]);
  const without = (name: string, type: string) => ({ ...zone, records: zone.records.filter((each) => !isAt(name, type)(each)) });
  const a = zone.records.find(isAt(NAME, 'A'));
  const texts = zone.records.find(isAt(NOTE, 'TXT'))?.values ?? [];
  switch (stranger) {
    case 'nobody':
      return zone;
    case 'leads-it-astray':
      return put(record('A', ['192.0.2.66']));
    case 'deletes-it':
      return without(NAME, 'A');
    case 'deletes-the-note':
      return without(NOTE, 'TXT');
    case 'keeps-it-long':
      return a === undefined ? zone : put({ ...a, ttl: 86_400 });
    case 'adds-aaaa':
      return put(record('AAAA', ['2001:db8::66']));
    case 'adds-text':
      return put(record('TXT', [...new Set([...texts, SPF])], NOTE));
    case 'claims-it':
      return put(record('TXT', [FOREIGN], `cname-${NAME}`));
    case 'withdraws':
      return without(`cname-${NAME}`, 'TXT');
  }
}

interface World {
  readonly zone: CurrentZone;
  readonly memory: Readonly<Record<string, TargetMemory>>;
  readonly written: ApiRecordState['written'];
}
const START: World = { zone: { name: 'k8s.example.com', visibility: 'private', records: [] }, memory: {}, written: undefined };

interface Happened {
  readonly round: Round;
  readonly before: CurrentZone;
  readonly plan: RecordPlan;
  /** The same look once more, at what was made of it. */
  readonly again: RecordPlan;
  readonly after: World;
  readonly heard: readonly string[];
}

function live(world: World, round: Round, adopt = false): Happened {
  const before = meddle(world.zone, round.stranger);
  const heard = round.alive.filter((host) => round.reached.includes(host));
  const seen = HOSTS.map((address) => ({
    address,
    answers: heard.includes(address),
    awayElsewhere: round.seenElsewhere && !round.alive.includes(address),
  }));
  const published = before.records.filter(isAt(NAME, 'A')).flatMap(({ values }) => values);
  const judged = judgeTargets({ evidence: seen, memory: world.memory, published, counts: true });
  const evidence = (written: World['written']): Evidence => ({
    ...{ answering: judged.members.filter((member) => heard.includes(member)).length, withoutName: [] },
    ...(round.locked && { lockedBy: 'restore-7' }),
    ...(written !== undefined && { written }),
  });
  const desired = { kind: 'addresses', addresses: judged.members } as const;
  const policy = { cluster: 'prod', name: NAME, visibility: 'private', adopt } as const;
  const plan = planApiRecord(before, desired, evidence(world.written), policy);
  const zone = applyChanges(before, plan.changes);
  const own = zone.records.filter((each) => !plan.beside.some((other) => other.type === each.type) && sameName(each.name, NAME));
  const written = plan.action === 'none' || plan.action === 'write' ? writtenOf(own) : world.written;
  const again = planApiRecord(zone, desired, evidence(written), policy);
  return { round, before, plan, again, heard, after: { zone, memory: judged.memory, written } };
}

const some = fc.subarray(HOSTS);
const drawnRound: fc.Arbitrary<Round> = fc.record({
  alive: some,
  reached: fc.oneof({ weight: 4, arbitrary: fc.constant(HOSTS) }, fc.constant([]), some),
  seenElsewhere: fc.boolean(),
  locked: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.boolean()),
  stranger: fc.oneof({ weight: 6, arbitrary: fc.constant('nobody' as const) }, fc.constantFrom(...STRANGERS)),
});
/** Each round is drawn alone, or is the one before once more: what lasts is as likely as what changes. */
const history = fc
  .array(fc.tuple(drawnRound, fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 12 })
  .map((drawn) =>
    drawn.flatMap(([round, times]) =>
      Array.from({ length: times }, (_, n) => (n === 0 ? round : { ...round, stranger: 'nobody' as const })),
    ),
  );

const lived = (rounds: readonly Round[]): Happened[] => {
  let world = START;
  return rounds.map((round) => {
    const happened = live(world, round);
    world = happened.after;
    return happened;
  });
};
const always = (holds: (happened: Happened) => void) =>
  fc.assert(
    fc.property(history, (rounds) => lived(rounds).forEach(holds)),
    { numRuns: 100 },
  );
const ledTo = ({ zone }: World): string[] => zone.records.filter(isAt(NAME, 'A')).flatMap(({ values }) => values);

test('whenever the looker hears an answer and the name is the lifeboat’s to write, it leads to somebody who is alive', () => {
  always(({ plan, heard, round, after }) => {
    if (heard.length === 0 || plan.action === 'refuse' || plan.because === 'locked') return;
    expect(ledTo(after).some((address) => round.alive.includes(address))).toBe(true);
  });
});

test('no write leads the name away from everybody who is alive', () => {
  always(({ plan, round, after }) => {
    if (plan.changes.some(({ record: { type } }) => type === 'A'))
      expect(ledTo(after).some((address) => round.alive.includes(address))).toBe(true);
  });
});

test('while a looker is cut off from all of them, nobody is taken out', () => {
  always(({ plan, heard, round, before, after }) => {
    if (heard.length > 0 || round.alive.length === 0 || plan.because === 'ownership-missing') return;
    expect(ledTo(after)).toEqual(addressesAt(before, NAME).filter((address) => !address.includes(':')));
  });
});

test('nothing is ever deleted, and a name that leads somewhere goes on to', () => {
  always(({ plan, before, after }) => {
    expect(plan.changes.filter(({ action }) => action === 'DELETE')).toEqual([]);
    if (addressesAt(before, NAME).length > 0) expect(addressesAt(after.zone, NAME)).not.toEqual([]);
  });
});

test('what others have beside it stays, and what they claim is not touched', () => {
  always(({ plan, before, after }) => {
    const theirs = ({ records }: CurrentZone) => [
      ...records.filter(isAt(NAME, 'AAAA')),
      ...records.filter(isAt(`cname-${NAME}`, 'TXT')),
      ...records.filter(({ values }) => values.includes(SPF)).map(({ name }) => name),
    ];
    expect(theirs(after.zone)).toEqual(theirs(before));
    if (before.records.some(isAt(`cname-${NAME}`, 'TXT'))) expect(plan).toMatchObject({ action: 'refuse', changes: [] });
  });
});

test('another look at what was written has nothing more to write', () => {
  always(({ plan, again }) => {
    if (plan.action === 'write') expect(again).toMatchObject({ action: 'none', changes: [], drifted: again.beside.length > 0 });
  });
});

test('when everything is well again, the record is whole within three rounds, and once more adopted where its note is gone', () => {
  const well: Round = { alive: HOSTS, reached: HOSTS, seenElsewhere: false, locked: false, stranger: 'nobody' };
  fc.assert(
    fc.property(history, (rounds) => {
      const last = lived(rounds).at(-1)!.after;
      const withdrawn = live(last, { ...well, stranger: 'withdraws' });
      const adopted = withdrawn.plan.action === 'refuse' ? live(withdrawn.after, well, true) : withdrawn;
      const end = live(live(adopted.after, well).after, well);

      expect(ledTo(end.after)).toEqual(HOSTS);
      const { plan } = live(end.after, well);
      expect(plan).toMatchObject({ action: 'none', drifted: plan.beside.length > 0 });
      expect(end.after.zone.records.find(isAt(NOTE, 'TXT'))?.values).toContain(heritageText('prod'));
    }),
    { numRuns: 100 },
  );
});
