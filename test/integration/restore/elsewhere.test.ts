import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Ledger } from '../../../lambdas/contract/ledger';
import { Metric } from '../../../lambdas/contract/metrics';
import { DRILL_ON_MACHINES } from '../../../lambdas/contract/restore';
import { ledgerKey, snapshotKey } from '../../../lambdas/contract/s3-keys';
import { rightsOf } from '../../support/permissions/stack-rights';
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

  test('finds the stored bytes damaged before it touches the machine: that is a drill that failed, stamped and heard of', async () => {
    const { s3, bucket, cluster } = world.lifeboat;
    const Key = snapshotKey(cluster, snapshot);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
    const whole = Buffer.from((await Body?.transformToByteArray()) ?? []);
    const damaged = Buffer.from(whole);
    damaged[damaged.length >> 1]! ^= 1;
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: damaged }));
    const pid = spareNode().pid('etcd');

    const { error, cause, execution } = await world.run(DRILL_ON_MACHINES);

    await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: whole }));
    expect([error, cause]).toEqual(['UNHARMED', expect.stringContaining('StoredSnapshotDamaged in Materialize')]);
    expect(await world.report(execution.name)).toMatchObject({ outcome: 'UNHARMED', drill: 'failed' });
    expect((await drillsOf(snapshot))[0]).toMatchObject({
      kind: 'restored',
      passed: false,
      by: execution.name,
      detail: expect.stringMatching(/^StoredSnapshotDamaged: /) as string,
    });
    expect((await passed()).at(-1)?.value).toBe(0);
    expect(await alarm()).toBe('ALARM');
    expect(spareNode().pid('etcd')).toBe(pid);
  });

  test('counts what etcdutl says against the snapshot, and not what keeps a machine from being used', async () => {
    const node = spareNode();
    const measured = async () => (await passed()).length;
    const before = await measured();
    // It reads all the bytes that were stored, and finds another database in them.
    node.interfere('stage', `sed -i "s/^export LIFEBOAT_SNAPSHOT_HASH=.*/export LIFEBOAT_SNAPSHOT_HASH=00000000/" "\${@: -1}"`);

    const refused = await world.run(DRILL_ON_MACHINES);

    expect([refused.error, refused.cause]).toEqual(['UNHARMED', expect.stringContaining('SnapshotDiffers, etcdutl finds hash')]);
    expect((await drillsOf(snapshot))[0]).toMatchObject({ passed: false, by: refused.execution.name });
    expect(await measured()).toBe(before + 1);
    node.heal();
    node.breakProgram('aws', 'echo "fatal error: (403) Forbidden" >&2\nexit 1\n');

    const unusable = await world.run(DRILL_ON_MACHINES);

    expect([unusable.error, unusable.cause]).toEqual(['UNHARMED', expect.stringContaining('DownloadFailed')]);
    expect(await world.report(unusable.execution.name)).toMatchObject({ drill: 'silent' });
    expect((await drillsOf(snapshot))[0]).toMatchObject({ by: refused.execution.name });
    expect(await measured()).toBe(before + 1);
  });

  test('refuses a node of the control plane, and people are told that no drill was held', async () => {
    const { instanceId } = world.nodes.nodes[0]!;

    const { execution, status, error, cause } = await world.run({ ...DRILL_ON_MACHINES, nodes: [instanceId] });

    expect([status, error]).toEqual(['FAILED', 'RestoreRefused']);
    const { functions } = rightsOf(await world.cloud.stack(`Lifeboat-${world.lifeboat.cluster}`));
    const log = await world.cloud.logs(functions.find(({ label }) => label === 'RestoreReportRestore')?.name ?? '');
    expect(log.join('\n')).toMatch(new RegExp(`"drill-refused".*:${execution.name}"`));
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
  expect(Ledger.parse(JSON.parse(await world.object(ledgerKey(world.lifeboat.cluster)))).restores).toEqual([]);

  await Promise.all(world.nodes.nodes.map((node) => node.reboot()));
  await world.ready();
  await expectControlPlaneUntouched(highest);
});
