import { RestoreWorld } from './world';

jest.setTimeout(300_000);

let world: RestoreWorld;
beforeAll(async () => {
  world = await RestoreWorld.start({ megabytes: 20 });
});
afterAll(() => world.stop());

test('one execution brings the whole control plane back to what the snapshot holds', async () => {
  await world.put('/registry/configmaps/default/before');
  const snapshot = await world.backup();
  await world.put('/registry/configmaps/default/after');
  const highest = await world.revision();

  const { execution, status, cause } = await world.run({ approval: 'skip' });

  expect([status, cause]).toEqual(['SUCCEEDED', undefined]);
  const report = await world.report(execution.name);
  expect(report).toMatchObject({ outcome: 'RESTORED', snapshot });
  expect(await world.valuesOf('/registry/configmaps/default/before')).toEqual(['x', 'x', 'x']);
  expect(await world.valuesOf('/registry/configmaps/default/after')).toEqual([null, null, null]);
  expect(await world.revision()).toBeGreaterThan(highest);
  expect(await world.kinds()).toEqual({ hashes: 1, clusters: 1 });
  console.log(JSON.stringify(report, undefined, 1));
});
