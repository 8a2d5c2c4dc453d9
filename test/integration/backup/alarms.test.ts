import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PurgeQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { Metric, METRIC_NAMESPACE, dimensionsOf } from '../../../lambdas/contract/metrics';
import type { MetricName } from '../../../lambdas/contract/metrics';
import { waitUntil } from '../../../local/child-process';
import type { MetricPoint } from '../../../local/cloud';
import { startWorld } from './world';
import type { World } from './world';

jest.setTimeout(240_000);

const HOUR_MS = 3_600_000;
/** On whenever nobody watches the members, as in a stack whose clock has stopped. */
const WHEN_NOBODY_WATCHES = ['etcd-without-quorum', 'ledger-not-advancing', 'no-verified-snapshot'];

describe('the alarms of the deployed stack', () => {
  let world: World;
  /** Beginnings of what a test did; on the clock of the alarms an hour lies before each. */
  const phases: Date[] = [];
  const hourLater = () => phases.push(new Date());
  const moved = (at: Date) => new Date(at.getTime() + phases.filter((phase) => phase <= at).length * HOUR_MS);

  beforeAll(async () => {
    world = await startWorld({ megabytes: 10 });
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    hourLater();
    expect(await world.lifeboat.takeSnapshot()).toMatchObject({ outcome: 'returned', result: { verified: true } });
    // Measures when a drill last passed.
    await world.lifeboat.pruneSnapshots();
    hourLater();
  });
  afterEach(() => world.pointAt(world.etcd.endpoints));

  async function alarms(points?: (recorded: readonly MetricPoint[]) => readonly MetricPoint[]) {
    const inTime = (recorded: readonly MetricPoint[]) => recorded.map((point) => ({ ...point, at: moved(point.at) }));
    const verdicts = await world.cloud.alarms('Lifeboat-demo', { points: points ?? inTime, now: moved(new Date()) });
    return [...verdicts.values()].map(({ name, state }) => ({ name: name.replace('Lifeboat-demo/', ''), state }));
  }
  const alarmsOn = async (...given: Parameters<typeof alarms>) =>
    (await alarms(...given)).flatMap(({ name, state }) => (state === 'ALARM' ? [name] : [])).sort();
  const stateOf = async (alarm: string) => (await alarms()).find(({ name }) => name === alarm)?.state;

  test('a stack of which nothing is heard alarms, and only about that', async () => {
    expect(await alarmsOn(() => [])).toEqual([...WHEN_NOBODY_WATCHES, 'no-recent-drill'].sort());
  });

  test('a run that fails, and its repetition too, is heard of, also when nothing comes after it; the next that succeeds ends it (peer failure 27)', async () => {
    expect(await stateOf('backup-failed')).toBe('OK');
    await world.pointAt(['https://127.0.1.9:2379']);
    expect(await world.lifeboat.takeSnapshot()).toMatchObject({ outcome: 'failed' });
    expect(await stateOf('backup-failed')).toBe('OK');
    expect(await world.lifeboat.takeSnapshot()).toMatchObject({ outcome: 'failed' });
    expect(await alarmsOn()).toEqual([...WHEN_NOBODY_WATCHES, 'backup-failed'].sort());
    const log = await world.cloud.logs(world.lifeboat.takeSnapshotFunction);
    expect(log.findLast((line) => line.includes('snapshot-failed'))).toMatch(/"because":"no etcd member can be reached: .*ECONNREFUSED/);
    hourLater();
    expect(await stateOf('backup-failed')).toBe('ALARM');

    await world.pointAt(world.etcd.endpoints);
    await world.lifeboat.takeSnapshot();
    hourLater();
    await world.lifeboat.takeSnapshot();

    expect(await alarmsOn()).toEqual(WHEN_NOBODY_WATCHES);
  });

  test('a run that fails once and succeeds when it is repeated is no news', async () => {
    await world.pointAt(['https://127.0.1.9:2379']);
    await world.lifeboat.takeSnapshot();
    await world.pointAt(world.etcd.endpoints);

    await world.lifeboat.takeSnapshot();

    expect(await stateOf('backup-failed')).toBe('OK');
  });

  test('an event whose repetitions fail too is in the dead letters, until somebody has looked', async () => {
    const lambda = new LambdaClient(world.cloud.clientConfig());
    const sqs = new SQSClient(world.cloud.clientConfig());
    await world.pointAt(['https://127.0.1.9:2379']);

    await lambda.send(
      new InvokeCommand({ FunctionName: world.lifeboat.takeSnapshotFunction, InvocationType: 'Event', Payload: '{"trigger":"scheduled"}' }),
    );

    await waitUntil('the event is given up', 60_000, async () => (await stateOf('dead-letters')) === 'ALARM', 500);
    expect(await stateOf('backup-failed')).toBe('ALARM');
    await sqs.send(new PurgeQueueCommand({ QueueUrl: world.lifeboat.deadLetterQueueUrl }));
    expect(await stateOf('dead-letters')).toBe('OK');
    lambda.destroy();
    sqs.destroy();
  });

  test('a snapshot that no majority confirms is heard of until one is verified', async () => {
    const [, two, three] = world.etcd.members;
    await Promise.all([two!.stop(), three!.stop()]);

    const answer = await world.lifeboat.takeSnapshot();

    for (const member of [two!, three!]) member.start();
    await Promise.all(world.etcd.members.map((member) => member.ready()));
    expect(answer).toMatchObject({ outcome: 'returned', result: { verified: false } });
    expect(await alarmsOn()).toEqual([...WHEN_NOBODY_WATCHES, 'unverified-snapshot'].sort());
    hourLater();
    await world.lifeboat.takeSnapshot();
    expect(await stateOf('unverified-snapshot')).toBe('OK');
  });

  test('what the functions tell carries the dimensions that alarms and dashboard ask by', async () => {
    await world.lifeboat.pruneSnapshots();

    const own = (await world.cloud.metrics()).filter(({ namespace }) => namespace === METRIC_NAMESPACE);

    const told = new Map(own.map(({ metric, dimensions }) => [metric, Object.keys(dimensions)]));
    expect([...told]).toEqual([...told.keys()].map((metric) => [metric, dimensionsOf(metric as MetricName)]));
    expect([...told.keys()]).toEqual(
      expect.arrayContaining([Metric.memberDiverged, Metric.snapshotUnverified, Metric.snapshotRemovalsDenied, Metric.manifestsDamaged]),
    );
    expect([...told.keys()].filter((metric) => !Object.values<string>(Metric).includes(metric))).toEqual([]);
  });
});
