import { NO_STATE } from '../../lambdas/contract/api-record';
import type { ApiRecordSettings, ApiRecordState, ProbeRequest, SyncEvent } from '../../lambdas/contract/api-record';
import { DnsFailed } from '../../lambdas/dns/errors';
import type { CurrentZone, RecordSet } from '../../lambdas/dns/plan-record';
import { syncRecord } from '../../lambdas/dns/sync-record';
import type { SyncEdges, SyncReport } from '../../lambdas/dns/sync-record';
import type { ZoneCall } from '../../lambdas/dns/who-changed';
import { sameName } from '../../lambdas/dns/record-name';
import type { Protectable } from '../../lambdas/dns/zone';
import { addressesAt, applyChanges } from './zone-model';

const NAME = 'api.k8s.example.com';
const START = new Date('2026-11-26T12:00:00Z').getTime();
const HOSTS = ['10.0.1.10', '10.0.2.10', '10.0.3.10'];

/** A zone, three API servers and somebody who looks at them; every effect is noted. */
class World {
  time = START;
  zone: CurrentZone = { name: 'k8s.example.com.', visibility: 'private', records: [] };
  protections: Protectable[] = [];
  state: ApiRecordState = NO_STATE;
  alive = new Set(HOSTS);
  nameless = new Set<string>();
  lockedBy: string | undefined;
  syncAfter = 1;
  broken: 'list' | 'change' | 'protect' | undefined;
  faster = false;
  readonly calls: string[] = [];
  readonly told = new Map<string, number>();
  readonly warned = new Set<string>();
  /** What CloudTrail knows, and how often it was asked. */
  trail: ZoneCall[] = [];
  trailBroken = false;
  asked = 0;
  settings: ApiRecordSettings = {
    ...{ name: NAME, zoneId: 'Z1', visibility: 'private', port: 6443 },
    target: { kind: 'addresses', addresses: HOSTS },
  };

  private readonly look = async ({ targets, resolve }: ProbeRequest) => {
    const led = addressesAt(this.zone, NAME);
    const answers = targets.map(({ host, port }) => {
      const at = host === NAME ? led.find((address) => this.alive.has(address)) : host;
      const answer = at !== undefined && this.alive.has(at);
      return {
        host,
        port,
        answers: answer,
        because: answer ? '200' : 'ECONNREFUSED',
        ...(answer && { carriesName: !this.nameless.has(at) }),
      };
    });
    return { answers, ...(resolve && { resolved: led }) };
  };

  edges(): SyncEdges {
    let asked = 0;
    const failing = (what: World['broken']) => {
      if (this.broken === what) throw new DnsFailed(`cannot ${what}: Throttling`);
    };
    return {
      zone: {
        describe: async () => ({ name: this.zone.name, visibility: this.zone.visibility, nameServers: ['ns-1.awsdns-1.com'] }),
        recordsAt: async (names) => {
          failing('list');
          return this.zone.records.filter((record) => names.some((name) => sameName(name, record.name)));
        },
        change: async (changes) => {
          this.calls.push(`change ${changes.map(({ action, record }) => `${action} ${record.type}`).join(', ')}`);
          failing('change');
          for (const { record } of changes)
            if (this.protections.some(({ name, type }) => sameName(name, record.name) && type === record.type))
              throw new DnsFailed('protected');
          this.zone = applyChanges(this.zone, changes);
          return 'C1';
        },
        isInSync: async () => ++asked >= this.syncAfter,
        protectedAt: async () => this.protections,
        protect: async (records) => {
          failing('protect');
          this.calls.push('protect');
          this.protections.push(...records);
        },
        unprotect: async () => {
          this.calls.push('unprotect');
          this.protections = [];
        },
      },
      state: {
        read: async () => ({ state: this.state, version: 'v' }),
        write: async (state) => {
          if (this.faster) return false;
          this.state = state;
          return true;
        },
      },
      balancer: () => Promise.reject(new Error('there is none')),
      nodes: async () => [],
      lookInside: this.look,
      lookOutside: this.look,
      lockedBy: async () => this.lockedBy,
      ownRole: 'sync-role',
      trail: async (from, to) => {
        this.asked++;
        if (this.trailBroken) throw new DnsFailed('cannot look up events of CloudTrail: AccessDenied');
        return this.trail.filter(({ at }) => new Date(at) >= from && new Date(at) <= to);
      },
      telemetry: {
        log: () => undefined,
        warn: (event) => void this.warned.add(event),
        count: (metric, value) => void this.told.set(metric, value),
      },
      now: () => new Date(this.time),
      wait: async (milliseconds) => void (this.time += milliseconds),
      until: new Date(this.time + 20_000),
    };
  }

  async sync(event: Partial<SyncEvent> = {}): Promise<SyncReport> {
    this.time += 60_000;
    this.told.clear();
    return syncRecord(this.edges(), 'prod', this.settings, { adopt: false, ...event });
  }
}

let world: World;
beforeEach(() => (world = new World()));

const a = (...values: string[]): RecordSet => ({ name: NAME, type: 'A', ttl: 30, values });

test('a first run writes and protects, and the second finds nothing to do', async () => {
  expect(await world.sync()).toMatchObject({ action: 'write', because: 'missing', answers: true, answering: 3 });
  expect(world.calls).toEqual(['change UPSERT A, UPSERT TXT', 'protect']);
  expect(await world.sync()).toMatchObject({ action: 'none', answers: true });
  expect(world.calls).toHaveLength(2);
  expect(Object.fromEntries(world.told)).toMatchObject({
    ApiRecordUnprotected: 0,
    ApiNameAnswers: 1,
    ApiRecordDrifted: 0,
    ApiRecordPending: 0,
  });
});

test('the guard is lifted for a change and put back, also when the change fails', async () => {
  await world.sync();
  world.alive.delete(HOSTS[0]!);
  await world.sync();
  world.broken = 'change';

  await expect(world.sync()).rejects.toMatchObject({ name: 'DnsFailed' });
  expect(world.calls.slice(2)).toEqual(['unprotect', 'change UPSERT A', 'protect']);
  expect(world.protections).toHaveLength(4);
});

test('a record that cannot be protected is right all the same, and that is told', async () => {
  world.broken = 'protect';

  expect(await world.sync()).toMatchObject({ action: 'write', answers: true });
  expect(world.told.get('ApiRecordUnprotected')).toBe(1);
});

test('what cannot be listed is no empty zone: nothing is written', async () => {
  world.broken = 'list';

  await expect(world.sync()).rejects.toMatchObject({ name: 'DnsFailed' });
  expect(world.calls).toEqual([]);
});

test('a change that takes long is waited for by the next run', async () => {
  world.syncAfter = 99;
  await world.sync();
  expect(world.state.pending).toMatchObject({ changeId: 'C1' });
  await world.sync();
  expect(world.told.get('ApiRecordPending')).toBeGreaterThan(60);

  world.syncAfter = 1;
  await world.sync();

  expect(world.state.pending).toBeUndefined();
  expect(world.told.get('ApiRecordPending')).toBe(0);
});

describe('who made a drift', () => {
  const ARN = 'arn:aws:sts::111122223333:assumed-role/external-dns/i-0abc';
  let events = 0;
  const call = (change: Partial<ZoneCall> = {}): ZoneCall => ({
    ...{ eventId: `e${++events}`, at: new Date(world.time + 30_000).toISOString(), who: ARN, zoneId: 'Z1' },
    changes: [{ action: 'UPSERT', name: `${NAME}.`, type: 'A', values: ['192.0.2.66'] }],
    ...change,
  });
  /** Somebody changes the record half a minute after the last run; CloudTrail knows at once unless told otherwise. */
  const tamper = (...known: ZoneCall[]): void => {
    world.protections = [];
    world.zone = { ...world.zone, records: world.zone.records.map((record) => (record.type === 'A' ? a('192.0.2.66') : record)) };
    world.trail.push(...known);
  };
  beforeEach(() => world.sync());

  test('is asked for after it was healed, and told once', async () => {
    tamper(call());
    expect(await world.sync()).toMatchObject({ action: 'write', because: 'drifted', changedBy: [] });
    expect(world.asked).toBe(0);

    expect(await world.sync()).toMatchObject({ action: 'none', changedBy: [{ who: ARN, what: 'UPSERT A 192.0.2.66' }] });
    expect(world.warned).toContain('record-changed-by');
    expect(await world.sync()).toMatchObject({ changedBy: [] });
    for (let minute = 0; minute < 25; minute++) await world.sync();
    expect(world.state.inquiry).toBeUndefined();
    expect(world.warned).not.toContain('drift-unexplained');
  });

  test('is asked for until CloudTrail knows, which may take a quarter of an hour', async () => {
    const late = call();
    tamper();
    for (let minute = 0; minute < 15; minute++) expect(await world.sync()).toMatchObject({ changedBy: [] });
    world.trail.push(late);

    expect(await world.sync()).toMatchObject({ changedBy: [{ who: ARN }] });
  });

  test('stays unknown after twenty minutes, and that is told', async () => {
    tamper();
    for (let minute = 0; minute < 23; minute++) await world.sync();

    expect(world.warned).toContain('drift-unexplained');
    const { asked } = world;
    await world.sync();
    expect(world.asked).toBe(asked);
  });

  test.each<[string, Partial<ZoneCall>]>([
    ['of the lifeboat itself', { who: 'arn:aws:sts::111122223333:assumed-role/sync-role/sync' }],
    ['in another zone', { zoneId: 'Z2' }],
    ['of another name', { changes: [{ action: 'UPSERT', name: 'www.k8s.example.com', type: 'A', values: ['192.0.2.1'] }] }],
    ['of a text alone', { changes: [{ action: 'UPSERT', name: NAME, type: 'TXT', values: ['"x"'] }] }],
    ['long before', { at: new Date(START - 3_600_000).toISOString() }],
  ])('is nobody by a call %s', async (_what, change) => {
    tamper(call(change));
    await world.sync();

    expect(await world.sync()).toMatchObject({ changedBy: [] });
    expect(world.asked).toBe(1);
  });

  test('may be a call whose request CloudTrail left out', async () => {
    tamper(call({ changes: [] }));
    await world.sync();

    expect(await world.sync()).toMatchObject({ changedBy: [{ who: ARN, what: '' }] });
  });

  test('is asked for while the drift stays, and again when the record becomes another', async () => {
    world.lockedBy = 'restore-7';
    tamper(call());
    expect(await world.sync()).toMatchObject({ action: 'hold', changedBy: [{ who: ARN }] });
    for (let minute = 0; minute < 25; minute++) expect(await world.sync()).toMatchObject({ action: 'hold', changedBy: [] });
    expect(world.warned).not.toContain('drift-unexplained');

    world.trail.push(call({ who: 'arn:aws:iam::111122223333:user/eve' }));
    world.zone = { ...world.zone, records: world.zone.records.map((record) => (record.type === 'A' ? a('192.0.2.67') : record)) };

    expect(await world.sync()).toMatchObject({ changedBy: [{ who: 'arn:aws:iam::111122223333:user/eve' }] });
  });

  test('is asked for again when the same is done twice', async () => {
    tamper(call());
    await world.sync();
    await world.sync();
    tamper(call({ who: 'arn:aws:iam::111122223333:user/eve' }));
    await world.sync();

    expect(await world.sync()).toMatchObject({ changedBy: [{ who: 'arn:aws:iam::111122223333:user/eve' }] });
  });

  test('keeps nobody from keeping the record right when CloudTrail says nothing', async () => {
    world.trailBroken = true;
    tamper(call());

    expect(await world.sync()).toMatchObject({ action: 'write', answers: true });
    expect(await world.sync()).toMatchObject({ action: 'none', answers: true, changedBy: [] });
    expect(world.warned).toContain('trail-silent');
    world.trailBroken = false;
    expect(await world.sync()).toMatchObject({ changedBy: [{ who: ARN }] });
  });
});

test('drift is healed, and told once', async () => {
  await world.sync();
  world.protections = [];
  world.zone = {
    ...world.zone,
    records: world.zone.records.map((record) => (record.type === 'A' ? a('10.0.1.10', '192.0.2.66') : record)),
  };

  expect(await world.sync()).toMatchObject({ action: 'write', because: 'drifted' });
  expect(world.told.get('ApiRecordDrifted')).toBe(1);
  expect(addressesAt(world.zone, NAME)).toEqual(HOSTS);
  await world.sync();
  expect(world.told.get('ApiRecordDrifted')).toBe(0);
});

test('somebody else who writes just what is wanted is told of once, too', async () => {
  await world.sync();
  world.alive.delete(HOSTS[0]!);
  await world.sync();
  world.zone = { ...world.zone, records: world.zone.records.map((record) => (record.type === 'A' ? a(...HOSTS.slice(1)) : record)) };

  expect(await world.sync()).toMatchObject({ action: 'none' });
  expect(world.told.get('ApiRecordDrifted')).toBe(1);
  await world.sync();
  expect(world.told.get('ApiRecordDrifted')).toBe(0);
});

test('a node that joins without the name in its certificate does not come in, and keeps no dead one from leaving', async () => {
  world.settings = { ...world.settings, target: { kind: 'addresses', addresses: [...HOSTS, '10.0.4.10'] } };
  world.zone = { ...world.zone, records: [a(...HOSTS)] };
  await world.sync({ adopt: true });
  world.alive.add('10.0.4.10').delete(HOSTS[0]!);
  world.nameless.add('10.0.4.10');
  for (let round = 0; round < 3; round++) await world.sync();
  expect(addressesAt(world.zone, NAME)).toEqual(HOSTS.slice(1));

  world.nameless.clear();
  for (let round = 0; round < 2; round++) await world.sync();

  expect(addressesAt(world.zone, NAME)).toEqual([...HOSTS.slice(1), '10.0.4.10']);
});

test('no name is made before the certificates carry it', async () => {
  for (const host of HOSTS) world.nameless.add(host);

  expect(await world.sync()).toMatchObject({ action: 'hold', because: 'name-not-in-certificate', answers: false });
  expect(world.zone.records).toEqual([]);
});

test('two runs at once: the one that was slower leaves what the other remembers', async () => {
  world.faster = true;

  expect(await world.sync()).toMatchObject({ action: 'write' });
  expect(world.state).toBe(NO_STATE);
});

test('events that follow each other at once count as one round', async () => {
  await world.sync();
  world.alive.delete(HOSTS[0]!);
  for (let event = 0; event < 5; event++) {
    world.time -= 59_000;
    await world.sync();
  }
  expect(addressesAt(world.zone, NAME)).toEqual(HOSTS);
});

test('a name whose certificate does not carry it does not answer', async () => {
  await world.sync();
  for (const host of HOSTS) world.nameless.add(host);

  expect(await world.sync()).toMatchObject({ action: 'none', answers: false });
  expect(world.told.get('ApiNameAnswers')).toBe(0);
});

test('in a zone that is made for the name, the note lies in the name itself, which stays open for texts of others', async () => {
  world.zone = { name: `${NAME}.`, visibility: 'private', records: [] };

  expect(await world.sync()).toMatchObject({ action: 'write', because: 'missing', answers: true });
  expect(await world.sync()).toMatchObject({ action: 'none' });
  expect(world.protections).toEqual([
    { name: NAME, type: 'A' },
    { name: NAME, type: 'AAAA' },
  ]);
  expect(world.told.get('ApiRecordUnprotected')).toBe(0);
});

test('an AAAA that somebody adds stays his, round after round, and is told of', async () => {
  await world.sync();
  world.protections = [];
  const theirs: RecordSet = { name: NAME, type: 'AAAA', ttl: 60, values: ['2001:db8::66'] };
  world.zone = { ...world.zone, records: [...world.zone.records, theirs] };
  for (let round = 0; round < 3; round++) expect(await world.sync()).toMatchObject({ action: 'none' });
  expect(world.zone.records).toContain(theirs);
  expect(world.warned).toContain('record-of-others-beside');

  expect(await world.sync({ adopt: true })).toMatchObject({ action: 'write', answers: true });
  expect(world.zone.records).not.toContain(theirs);
});

test('a name that is led to another zone is not written where nobody would see it', async () => {
  world.settings = { ...world.settings, visibility: 'public' };
  const ns: RecordSet = { name: 'k8s.example.com.', type: 'NS', ttl: 300, values: ['ns-1.awsdns-1.com.'] };
  world.zone = { name: 'example.com.', visibility: 'public', records: [ns] };

  expect(await world.sync()).toMatchObject({ action: 'refuse', because: 'delegated' });
  expect(world.zone.records).toEqual([ns]);
});
