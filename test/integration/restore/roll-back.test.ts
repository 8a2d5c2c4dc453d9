import { findingsOf } from './rights';
import { RestoreWorld } from './world';

jest.setTimeout(400_000);

// Undoing restores by their names, of which somebody may mistake one.
let world: RestoreWorld;
let snapshot: string;
beforeAll(async () => {
  world = await RestoreWorld.start({ megabytes: 2, count: 1 });
  snapshot = await world.backup();
});
afterAll(async () => {
  const findings = await findingsOf(world, 'Restore');
  await world.stop();
  expect(findings).toEqual([]);
});

let made = 0;
/** A key that no snapshot holds. */
async function write(): Promise<string> {
  const key = `/registry/configmaps/default/written-${made++}`;
  await world.put(key);
  return key;
}
const holds = async (key: string): Promise<boolean> => (await world.valuesOf(key))[0] === 'x';

test('a name that no restore has is refused, and so is one that still runs; nothing is stopped', async () => {
  const pid = world.nodes.nodes[0]?.pid('etcd');
  const { execution, ...dry } = await world.run({ snapshot, dryRun: true });
  expect(dry.status).toBe('SUCCEEDED');
  const running = await world.lifeboat.restore.start({ snapshot });
  await running.enters('Approve');

  expect(await world.run({ rollBack: 'never-was' })).toMatchObject({
    error: 'RestoreRefused',
    cause: expect.stringContaining('there is no plan of a restore never-was') as string,
  });
  expect(await world.run({ rollBack: execution.name })).toMatchObject({
    error: 'RestoreRefused',
    cause: expect.stringContaining('ended as DRY_RUN') as string,
  });
  expect(await world.run({ rollBack: running.name })).toMatchObject({
    error: 'RestoreRefused',
    cause: expect.stringContaining(`aws stepfunctions stop-execution --execution-arn ${running.arn}`) as string,
  });

  await running.stop();
  await running.wait();
  expect(await world.run({ rollBack: running.name })).toMatchObject({ error: 'ROLLED_BACK' });
  expect(world.nodes.nodes[0]?.pid('etcd')).toBe(pid);
});

test('an older restore is not undone over a newer one, whose data is served on; one after the other they are', async () => {
  const first = await write();
  const older = await world.run({ snapshot, approval: 'skip' });
  const second = await write();
  const newer = await world.run({ snapshot, approval: 'skip' });
  const third = await write();
  expect([older.status, newer.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);

  const refused = await world.run({ rollBack: older.execution.name });

  expect(refused.error).toBe('NEEDS_HANDS');
  const { nodes, whatToDo } = await world.report(refused.execution.name);
  expect(nodes).toMatchObject([{ state: 'needs-hands' }]);
  expect(whatToDo.join('\n')).toContain(`restore ${newer.execution.name} was there later`);
  expect(await Promise.all([first, second, third].map(holds))).toEqual([false, false, true]);

  expect(await world.run({ rollBack: newer.execution.name })).toMatchObject({ error: 'ROLLED_BACK' });
  await world.ready();
  expect(await Promise.all([first, second, third].map(holds))).toEqual([false, true, false]);
  expect(await world.run({ rollBack: older.execution.name })).toMatchObject({ error: 'ROLLED_BACK' });
  await world.ready();
  expect(await Promise.all([first, second, third].map(holds))).toEqual([true, false, false]);
});

test('an execution that is redriven after it was undone changes nothing any more', async () => {
  const after = await write();
  const execution = await world.lifeboat.restore.start({ snapshot, approval: 'skip' });
  await execution.enters('RestoreData', { timeoutMs: 120_000 });
  await execution.stop();
  await execution.wait();
  expect(await world.run({ rollBack: execution.name })).toMatchObject({ error: 'ROLLED_BACK' });
  await world.ready();
  const pid = world.nodes.nodes[0]?.pid('etcd');

  await execution.redrive();

  const { error, cause } = await execution.wait({ timeoutMs: 240_000 });
  expect([error, cause]).toEqual(['ROLLED_BACK', expect.stringContaining('was rolled back on this node')]);
  expect(world.nodes.nodes[0]?.pid('etcd')).toBe(pid);
  expect(await holds(after)).toBe(true);
});
