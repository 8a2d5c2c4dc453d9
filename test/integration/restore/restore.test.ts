import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { renameSync } from 'node:fs';
import path from 'node:path';
import { lockKey, pkiGenerationsKey } from '../../../lambdas/contract/s3-keys';
import { S3Lock } from '../../../lambdas/aws/s3-lock';
import { waitUntil } from '../../../local/child-process';
import { clientOf } from '../../../local/etcd/client';
import { startWatchingClient } from '../../support/watching-client';
import { findingsOf } from './rights';
import { RestoreWorld } from './world';

jest.setTimeout(400_000);

let world: RestoreWorld;
let snapshot: string;
beforeAll(async () => {
  world = await RestoreWorld.start({ megabytes: 10, count: 3, certified: true });
  await world.put('/registry/masterleases/10.0.0.99');
  await world.put('/registry/configmaps/default/before');
  snapshot = await world.backup();
});
afterEach(() => {
  world.cloud.faults.clear();
  world.nodes.nodes.forEach((node) => node.heal());
});
afterAll(async () => {
  const findings = await findingsOf(world, 'Restore');
  await world.stop();
  expect(findings).toEqual([]);
});

const before = () => world.valuesOf('/registry/configmaps/default/before');
let made = 0;
/** A key that no snapshot holds. */
async function writeAfter(): Promise<string> {
  const key = `/registry/configmaps/default/after-${made++}`;
  await world.put(key);
  return key;
}
/** The token that is in a question. */
const tokenIn = (question: string): string => /--task-token '([^']+)'/.exec(question)![1]!;

/** Notes by which CA the cluster lives, as its exchange would; by none that anybody knows of. */
async function noteCluster(digit?: string): Promise<void> {
  const { s3, bucket, cluster } = world.lifeboat;
  const at = { Bucket: bucket, Key: pkiGenerationsKey(cluster) };
  const id = digit?.repeat(64);
  const eras = { cluster: { issuing: id, trusted: [id] } };
  const Body = JSON.stringify({ version: 1, cluster, notedAt: new Date().toISOString(), eras });
  await (id === undefined ? s3.send(new DeleteObjectCommand(at)) : s3.send(new PutObjectCommand({ ...at, Body })));
}
/** The execution that heals what the data says of the PKI. These nodes have no sets of certificates for it to go by. */
async function stopHealing(healing: string | undefined): Promise<void> {
  const executionArn = /^execution (\S+:execution:lifeboat-\S+-rotate-ca:heal-\S+) brings/.exec(healing ?? '')?.[1];
  if (executionArn === undefined) throw new Error(`nothing heals: ${healing ?? ''}`);
  const client = new SFNClient(world.cloud.clientConfig());
  await client.send(new StopExecutionCommand({ executionArn }));
  client.destroy();
}

test('after approval one execution brings the whole control plane back, and its report tells what it did', async () => {
  await noteCluster('1');
  const latest = await world.backup();
  await noteCluster('2');
  const after = await writeAfter();
  const highest = await world.revision();
  const execution = await world.lifeboat.restore.start({});
  const question = await world.question(execution);
  expect(question).toContain(`Snapshot ${latest}`);
  expect(question).toMatch(
    /What is lost: \d+ revisions\.\n {2}1 configmaps are gone\nNo object comes back: if something was deleted, name an earlier snapshot\./,
  );
  expect(question).toMatch(
    /\n- PKI, cluster: the data is of the time of 1{16}…, which nobody trusts any more, and the data does not name 2{16}…: /,
  );
  expect(await world.valuesOf(after)).toEqual(['x', 'x', 'x']);
  expect(await world.backup()).not.toBe(latest);

  await world.cloud.succeedTask(tokenIn(question), { approvedBy: 'a test' });
  const end = await execution.wait({ timeoutMs: 240_000 });

  expect([end.status, end.cause]).toEqual(['SUCCEEDED', undefined]);
  const report = await world.report(execution.name);
  expect(report).toMatchObject({
    outcome: 'RESTORED',
    snapshot: latest,
    mode: 'in-place',
    safetySnapshot: expect.stringMatching(/^\d{8}T/) as string,
    approvedBy: 'a test',
  });
  expect(report.pki).toMatchObject([{ of: 'cluster', decision: 'heal' }]);
  await stopHealing(report.healing);
  await noteCluster();
  expect(report.downtimeSeconds).toBeLessThan(120);
  expect(report.phases.map(({ state }) => state)).toEqual(
    expect.arrayContaining(['Approve', 'PlanAgain', 'Stage', 'PrepareData', 'StopEtcd', 'Verify']),
  );
  expect(report.sinceApproval).toEqual([expect.stringMatching(/^\d+ revisions are lost by now$/)]);
  expect(await before()).toEqual(['x', 'x', 'x']);
  expect(await world.valuesOf(after)).toEqual([null, null, null]);
  expect(await world.valuesOf('/registry/masterleases/10.0.0.99')).toEqual([null, null, null]);
  expect(await world.revision()).toBeGreaterThan(highest);
  expect(await world.kinds()).toEqual({ hashes: 1, clusters: 1 });
  await world.apiserversAreReady();
});

test('an etcd that is known to be dead is not asked for a snapshot first', async () => {
  const before = (await world.lifeboat.snapshots()).length;

  const { execution, status } = await world.run({ snapshot, dryRun: true, safetySnapshot: false });

  expect(status).toBe('SUCCEEDED');
  const report = await world.report(execution.name);
  expect(report.phases.map(({ state }) => state)).not.toContain('SafetySnapshot');
  expect(report.safetySnapshot).toBe('none: the input asked for none');
  expect(await world.lifeboat.snapshots()).toHaveLength(before);
});

test('a client that watches and writes across two restores of the same snapshot never sees time run backwards, and old watches are told', async () => {
  const old = await world.revision();
  const client = startWatchingClient(() => clientOf(world.nodes), '/registry/leases/kube-system/writer');
  try {
    for (const round of [1, 2]) {
      await waitUntil(`it writes, round ${round}`, 30_000, async () => client.writes > round * 20);
      const served = client.highest;
      const { status, cause } = await world.run({ snapshot, approval: 'skip' });
      expect([status, cause]).toEqual(['SUCCEEDED', undefined]);
      const writes = client.writes;
      await waitUntil('it writes again', 60_000, async () => client.writes > writes + 20);
      expect(client.highest).toBeGreaterThan(served);
    }
  } finally {
    await client.stop();
  }
  expect(client.backwards).toEqual([]);
  // Whoever reads or watches from before the restore must hear that its revision is compacted, and list again.
  const range = world.ask(({ kv }) => kv.range({ key: Buffer.from('/registry/x'), revision: String(old) }));
  await expect(range).rejects.toThrow(/compacted/);
  expect(await world.cancelReason('/registry/x', old)).toMatch(/compacted/);
});

test('a dry run stages and proves everything, and stops nothing', async () => {
  const pids = world.nodes.nodes.map((node) => node.pid('etcd'));
  const after = await writeAfter();

  const { execution, status } = await world.run({ snapshot, dryRun: true, approval: 'skip' });

  expect(status).toBe('SUCCEEDED');
  expect(await world.report(execution.name)).toMatchObject({
    outcome: 'DRY_RUN',
    safetySnapshot: expect.stringMatching(/^\d{8}T/) as string,
  });
  expect(world.nodes.nodes.map((node) => node.pid('etcd'))).toEqual(pids);
  expect(await world.valuesOf(after)).toEqual(['x', 'x', 'x']);
});

describe('ends unharmed when', () => {
  let pids: (number | undefined)[];
  beforeEach(() => {
    pids = world.nodes.nodes.map((node) => node.pid('etcd'));
  });
  afterEach(() => expect(world.nodes.nodes.map((node) => node.pid('etcd'))).toEqual(pids));

  test('somebody rejects it, and a lock that it never took is not touched', async () => {
    const locked = () => world.object(lockKey(world.lifeboat.cluster, 'control-plane')).catch(() => 'never taken');
    const before = await locked();
    const execution = await world.lifeboat.restore.start({ snapshot });
    await world.cloud.failTask(tokenIn(await world.question(execution)), 'Rejected', 'not at this hour');

    expect(await execution.wait()).toMatchObject({
      status: 'FAILED',
      error: 'UNHARMED',
      cause: expect.stringContaining('Rejected in Approve, not at this hour') as string,
    });
    expect(await locked()).toBe(before);
  });

  test('what was approved does not hold any more by the time that somebody approves, and the lock is given back', async () => {
    const manifest = path.join(world.nodes.nodes[2]!.tree.manifestDir, 'kube-apiserver.yaml');
    const aside = path.join(world.nodes.folder, 'kube-apiserver.yaml');
    const execution = await world.lifeboat.restore.start({ snapshot });
    const token = tokenIn(await world.question(execution));
    renameSync(manifest, aside);

    await world.cloud.succeedTask(token, { approvedBy: 'a test' });
    const end = await execution.wait({ timeoutMs: 120_000 });

    renameSync(aside, manifest);
    await world.apiserversAreReady();
    expect(end).toMatchObject({
      error: 'UNHARMED',
      cause: expect.stringMatching(
        /RestoreRefused in PlanAgain, nothing was changed: what was approved does not hold any more, .*: the nodes with an API server to stop are others: \S+ i-\w+ is gone$/,
      ) as string,
    });
    expect((await world.run({ snapshot, dryRun: true, safetySnapshot: false })).cause).toBeUndefined();
  });

  test('nobody answers in time', async () => {
    const { error, cause } = await world.run({ snapshot, approvalSeconds: 2 });

    expect([error, cause]).toEqual(['UNHARMED', expect.stringContaining('States.Timeout in Approve')]);
  });

  test('another runbook works on the nodes, whose name is told', async () => {
    const { s3, bucket, cluster } = world.lifeboat;
    const lock = new S3Lock(s3, { bucket, cluster, name: 'control-plane', ttlMs: 60_000 }, () => new Date());
    const held = await lock.acquire('another-runbook');

    const { error, cause } = await world.run({ snapshot, approval: 'skip' });

    expect([error, cause]).toEqual(['UNHARMED', expect.stringContaining('another-runbook works on the nodes until')]);
    expect(JSON.parse(await world.object(lockKey(cluster, 'control-plane')))).toMatchObject({ holder: 'another-runbook' });
    if (held.acquired) await held.release();
  });

  test.each([
    ['Plan', 'PutObject', 'plan.json'],
    ['Materialize', 'CreateMultipartUpload', 'snapshot.db'],
  ])('S3 denies %s what it needs, by %s', async (state, operation, key) => {
    world.cloud.faults.inject({ operation, key, times: 100, fault: { kind: 'status', status: 403, code: 'AccessDenied' } });

    const { error, cause } = await world.run({ snapshot, approval: 'skip' });

    expect([error, cause]).toEqual(['UNHARMED', expect.stringMatching(new RegExp(`StoreFailed in ${state}, .*${key}`))]);
  });

  test('the input names what does not exist', async () => {
    expect(await world.run({ snapshot: '20200101T000000Z-00000000' })).toMatchObject({
      error: 'UNHARMED',
      cause: expect.stringContaining('is not listed') as string,
    });
    expect(await world.run({ snapshots: 'latest' })).toMatchObject({ error: 'RestoreRefused' });
    expect(await world.run({ nodes: ['i-0123456789abcdef0'] })).toMatchObject({
      error: 'RestoreRefused',
      cause: expect.stringContaining('carries neither') as string,
    });
  });
});

test('an execution that somebody aborted while everything was stopped is redriven to its end', async () => {
  const after = await writeAfter();
  const execution = await world.lifeboat.restore.start({ snapshot, approval: 'skip' });
  await execution.enters('RestoreData', { timeoutMs: 120_000 });
  await execution.stop();
  expect(await execution.wait()).toMatchObject({ status: 'ABORTED' });

  await execution.redrive();

  expect(await execution.wait({ timeoutMs: 240_000 })).toMatchObject({ status: 'SUCCEEDED' });
  expect(await world.valuesOf(after)).toEqual([null, null, null]);
  expect(await world.kinds()).toEqual({ hashes: 1, clusters: 1 });
});

test('an execution that somebody aborted is undone by another one, which needs no more than its name', async () => {
  const after = await writeAfter();
  const execution = await world.lifeboat.restore.start({ snapshot, approval: 'skip' });
  await execution.enters('StartEtcd', { timeoutMs: 120_000 });
  await execution.stop();
  await execution.wait();
  const second = await world.run({ snapshot, approval: 'skip' });
  expect(second.cause).toContain(`start an execution with {"rollBack":"${execution.name}"}`);

  const undone = await world.run({ rollBack: execution.name });

  expect([undone.status, undone.error]).toEqual(['FAILED', 'ROLLED_BACK']);
  expect(await world.report(undone.execution.name)).toMatchObject({
    outcome: 'ROLLED_BACK',
    mode: 'roll-back',
    restoreId: execution.name,
  });
  await world.ready();
  expect(await world.valuesOf(after)).toEqual(['x', 'x', 'x']);
  await world.apiserversAreReady();
});
