import { Metric } from '../../../lambdas/contract/metrics';
import { DRILL_ON_MACHINES } from '../../../lambdas/contract/restore';
import { findingsOf } from './rights';
import { RestoreWorld } from './world';

jest.setTimeout(400_000);

const SNAPSHOT_KEY = '/registry/configmaps/default/in-the-snapshot';
const DRILL_FAILED = 'Lifeboat-demo/drill-failed';

let world: RestoreWorld;
let snapshot: string;
beforeAll(async () => {
  world = await RestoreWorld.start({ megabytes: 10, spare: true });
  await world.put(SNAPSHOT_KEY);
  snapshot = await world.backup();
});
afterEach(() => {
  world.cloud.faults.clear();
  spareNode().heal();
});
afterAll(async () => {
  const findings = await findingsOf(world, 'Restore');
  await world.stop();
  expect(findings).toEqual([]);
});

const spareNode = () => world.spare.nodes.nodes[0]!;
const drillsOf = async (id: string) => (await world.lifeboat.snapshots()).find((each) => each.id === id)?.drills ?? [];
const alarm = async () => (await world.cloud.alarms('Lifeboat-demo')).get(DRILL_FAILED)?.state;
/** What the alarm and its end are judged by: the last drill within five minutes that did not pass. */
const passed = async () => (await world.cloud.metrics()).filter(({ metric }) => metric === Metric.drillPassed);
let written = 0;
/** Writes to the spare machine what no snapshot holds; the question whether it is still there. */
async function ownData(): Promise<() => Promise<boolean>> {
  const key = `/registry/configmaps/default/of-the-spare-machine-${written++}`;
  await world.spare.put(key);
  return async () => (await world.spare.valuesOf(key))[0] === 'x';
}
/** The control plane serves the data of today, as one cluster. */
async function expectControlPlaneUntouched(revision: number): Promise<void> {
  expect(await world.kinds()).toEqual({ hashes: 1, clusters: 1 });
  expect(await world.revision()).toBe(revision);
}

describe('a drill on a machine of its own', () => {
  test('boots a member from the newest snapshot, puts the machine back, and writes into the manifest that it passed', async () => {
    const revision = await world.revision();
    const holdsOwnData = await ownData();

    const { status, cause, execution } = await world.run(DRILL_ON_MACHINES);

    expect([status, cause]).toEqual(['SUCCEEDED', undefined]);
    const report = await world.report(execution.name);
    expect(report).toMatchObject({ outcome: 'DRILLED', mode: 'drill', snapshot });
    expect(report.phases.map(({ state }) => state)).toEqual(expect.arrayContaining(['RestoreData', 'CheckEtcd', 'Verify', 'Rollback']));
    expect(report.phases.map(({ state }) => state)).not.toContain('SafetySnapshot');
    expect(await holdsOwnData()).toBe(true);
    expect((await drillsOf(snapshot))[0]).toMatchObject({ kind: 'restored', passed: true, by: execution.name });
    expect((await passed()).at(-1)?.value).toBe(1);
    await expectControlPlaneUntouched(revision);
  });

  test('puts the machine back when the restored member does not start, writes that down, and is heard of', async () => {
    const node = spareNode();
    const holdsOwnData = await ownData();
    node.interfere('start', 'exit 1', 'etcd');

    const { status, error, execution } = await world.run({ ...DRILL_ON_MACHINES, waitForNodesSeconds: 3 });

    expect([status, error]).toEqual(['FAILED', 'ROLLED_BACK']);
    expect(await holdsOwnData()).toBe(true);
    expect((await drillsOf(snapshot))[0]).toMatchObject({ kind: 'restored', passed: false, by: execution.name });
    expect(await alarm()).toBe('ALARM');

    node.heal();
    expect((await world.run(DRILL_ON_MACHINES)).status).toBe('SUCCEEDED');
    expect((await drillsOf(snapshot))[0]).toMatchObject({ passed: true });
    expect((await passed()).slice(-2).map(({ value }) => value)).toEqual([0, 1]);
  });

  test('refuses a node of the control plane', async () => {
    const { instanceId } = world.nodes.nodes[0]!;

    const { status, cause } = await world.run({ ...DRILL_ON_MACHINES, nodes: [instanceId] });

    expect(status).toBe('FAILED');
    expect(cause).toContain(`${instanceId} carries lifeboat/control-plane=demo: a drill runs on nodes with lifeboat/drill=demo only`);
  });
});

test('the cluster is brought back elsewhere while its own machines are without power, and the ledger says nothing of it', async () => {
  const highest = await world.revision();
  const { instanceId, clientUrl } = spareNode();
  const holdsOwnData = await ownData();
  await Promise.all(world.nodes.nodes.map((node) => node.powerOff()));

  const { status, cause, execution } = await world.run({ nodes: [instanceId], approval: 'skip' });

  expect([status, cause]).toEqual(['SUCCEEDED', undefined]);
  expect(await world.report(execution.name)).toMatchObject({ outcome: 'RESTORED', mode: 'elsewhere', snapshot });
  expect(await world.spare.valuesOf(SNAPSHOT_KEY)).toEqual(['x']);
  expect(await holdsOwnData()).toBe(false);
  expect(await world.spare.revision()).toBeGreaterThan(highest);
  expect(JSON.parse(await world.file(execution.name, 'plan.json'))).toMatchObject({ endpoints: [clientUrl] });

  await Promise.all(world.nodes.nodes.map((node) => node.reboot()));
  await world.ready();
  await expectControlPlaneUntouched(highest);
});
