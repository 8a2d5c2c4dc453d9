import { NO_STATE } from '../../lambdas/contract/api-record';
import type { RecordSet } from '../../lambdas/dns/plan-record';
import { HOSTS, NAME, World, a } from './sync-world';
import { addressesAt } from './zone-model';

let world: World;
beforeEach(() => (world = new World()));

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
