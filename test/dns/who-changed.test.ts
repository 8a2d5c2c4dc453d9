import type { ZoneCall } from '../../lambdas/dns/who-changed';
import { NAME, START, World, a } from './sync-world';

let world: World;
beforeEach(() => (world = new World()));

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
