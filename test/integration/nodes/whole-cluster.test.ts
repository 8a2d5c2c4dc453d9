import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { GetCommandInvocationCommand, SendCommandCommand } from '@aws-sdk/client-ssm';
import type { Etcd3 } from 'etcd3';
import { waitUntil } from '../../../local/child-process';
import { reconcile } from '../../../local/cloud/reconcile';
import type { Parameters } from './world';
import { NodesWorld } from './world';

jest.setTimeout(240_000);

const BUMP = 1_000_000;

let world: NodesWorld;
beforeAll(async () => {
  world = await NodesWorld.start();
});
afterAll(() => world.stop());

/** Before the snapshot there is one key, after it another: which of them is there tells whose data is served. */
async function snapshotBetween(restoreId: string): Promise<{ parameters: Parameters; before: string; after: string }> {
  const [before, after] = [`before ${restoreId}`, `after ${restoreId}`];
  await world.put(before);
  const snapshot = await world.snapshot();
  await world.put(after);
  const restore = {
    restoreId,
    clusterToken: `lifeboat-${restoreId}`,
    bumpRevision: String(BUMP),
    initialCluster: world.nodes.initialCluster,
  };
  return { parameters: { ...snapshot, ...restore, waitSeconds: '60' }, before, after };
}

/** Only what a document takes. */
const only = (parameters: Parameters, ...names: string[]): Parameters =>
  Object.fromEntries(names.map((name) => [name, parameters[name] ?? '']));
const stage = (all: Parameters) => world.do('stage', only(all, 'restoreId', 'snapshotUrl', 'snapshotBytes', 'snapshotSha256', 'snapshotHash', 'snapshotRevision', 'bumpRevision')); // prettier-ignore
const restoring = (all: Parameters) => only(all, 'restoreId', 'snapshotSha256', 'initialCluster', 'clusterToken', 'bumpRevision');

test('three members are restored by documents alone: revisions go on, all members agree, and what came after the snapshot is gone', async () => {
  const restoreId = randomUUID();
  const { parameters, before, after } = await snapshotBetween(restoreId);
  const highest = await world.revision();
  const { clusterIds: clusterIdsBefore } = await world.hashes();

  await stage(parameters);
  expect(await world.states(restoreId)).toMatchObject(Array(3).fill({ state: 'serving', data: 'old' }));
  await world.do('stop', { restoreId, what: 'both' });
  expect(await world.states(restoreId)).toMatchObject(Array(3).fill({ state: 'stopped', data: 'old' }));
  await world.do('restore-data', restoring(parameters));
  expect(await world.states(restoreId)).toMatchObject(Array(3).fill({ state: 'stopped', data: 'restored' }));
  await world.do('start', { restoreId, what: 'etcd' });
  await world.ready();
  await world.do('start', { restoreId, what: 'apiserver' });

  expect(await world.states(restoreId)).toMatchObject(Array(3).fill({ state: 'serving', data: 'restored' }));
  expect(await world.revision()).toBeGreaterThan(highest);
  const { hashes, clusterIds } = await world.hashes();
  expect(new Set(hashes).size).toBe(1);
  expect(new Set(clusterIds).size).toBe(1);
  expect(clusterIds[0]).not.toBe(clusterIdsBefore[0]);
  expect(await world.valuesOf(before)).toEqual(['x', 'x', 'x']);
  expect(await world.valuesOf(after)).toEqual([null, null, null]);
});

test('a node that vanished and one that cannot download keep no other from staging, and do it when they are well again', async () => {
  const restoreId = randomUUID();
  const { parameters } = await snapshotBetween(restoreId);
  const staging = only(parameters, 'restoreId', 'snapshotUrl', 'snapshotBytes', 'snapshotSha256', 'snapshotHash', 'snapshotRevision', 'bumpRevision'); // prettier-ignore
  const [, second, third] = world.nodes.nodes;
  second?.vanish();
  third?.breakProgram('aws', 'echo "(403) Forbidden" >&2; exit 1');

  const outcomes = await world.run('stage', staging, world.nodes.nodes);

  expect(outcomes).toMatchObject([{ outcome: 'done' }, { outcome: 'undeliverable' }, { outcome: 'failed', error: 'DownloadFailed' }]);
  second?.comeBack();
  third?.repairPrograms();
  expect((await stage(parameters)).map(({ was }) => was)).toEqual(['staged', 'absent', 'absent']);
});

test('a restore that fails on the second node is rolled back on all, and the old data serves', async () => {
  const restoreId = randomUUID();
  const { parameters, after } = await snapshotBetween(restoreId);
  const second = world.nodes.nodes[1]!;
  const highest = await world.revision();
  await stage(parameters);
  await world.do('stop', { restoreId, what: 'both' });
  second.limitFileSize(1000);

  const outcomes = await world.run('restore-data', restoring(parameters), world.nodes.nodes);

  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['done', 'failed', 'done']);
  expect(outcomes[1]).toMatchObject({ error: 'RestoreFailed' });
  second.register({ prefix: [] });
  const found = await world.do('roll-back', { restoreId });
  expect(found.map((each) => each.found)).toEqual(['restored', 'original', 'restored']);
  await world.ready();
  expect(await world.states(restoreId)).toMatchObject(Array(3).fill({ state: 'serving', data: 'old' }));
  expect(await world.valuesOf(after)).toEqual(['x', 'x', 'x']);
  expect(await world.revision()).toBeGreaterThanOrEqual(highest);
  expect(new Set((await world.hashes()).hashes).size).toBe(1);
});

test('a restore that serves already is rolled back, and what came after the snapshot is there again', async () => {
  const restoreId = randomUUID();
  const { parameters, after } = await snapshotBetween(restoreId);
  await stage(parameters);
  await world.do('stop', { restoreId, what: 'both' });
  await world.do('restore-data', restoring(parameters));
  await world.do('start', { restoreId, what: 'both' });
  await world.ready();
  expect(await world.valuesOf(after)).toEqual([null, null, null]);

  await world.do('roll-back', { restoreId });
  await world.ready();

  expect(await world.states(restoreId)).toMatchObject(Array(3).fill({ state: 'serving', data: 'old' }));
  expect(await world.valuesOf(after)).toEqual(['x', 'x', 'x']);
});

test('a node that is rebooted in the middle of a document begins it anew, and ends it', async () => {
  const restoreId = randomUUID();
  const { parameters } = await snapshotBetween(restoreId);
  await stage(parameters);
  const [first] = world.nodes.nodes;
  await world.do('stop', { restoreId, what: 'both' });
  first!.slowDown(30);

  const restored = world.run('restore-data', restoring(parameters), [first!]);
  await first!.commandRuns();
  first!.heal();
  await first!.reboot();

  expect(await restored).toMatchObject([{ outcome: 'done', result: { found: 'original' } }]);
  expect(await world.states(restoreId)).toMatchObject(['restored', 'old', 'old'].map((data) => ({ state: 'stopped', data })));
  await world.do('roll-back', { restoreId });
  await world.ready();
});

test('a member that lost its disk is replaced: leave, then join as the cluster has added it', async () => {
  const restoreId = randomUUID();
  const third = world.nodes.nodes[2]!;
  await world.put('replaced');
  const { members } = await world.ask(({ cluster }) => cluster.memberList({}));
  const dead = members.find(({ name }) => name === third.name)!;
  await world.do('leave', { restoreId }, [third]);
  rmSync(`${third.tree.dataDir}.lifeboat-${restoreId}-old`, { recursive: true });
  // etcd changes its members only when all others were connected for 5 s (server.go, HealthInterval).
  const changes = (change: (client: Etcd3) => Promise<unknown>) => () => world.ask(change).then(() => true, () => false); // prettier-ignore
  await waitUntil(
    'the dead member is removed',
    20_000,
    changes(({ cluster }) => cluster.memberRemove({ ID: dead.ID })),
    500,
  );
  await waitUntil(
    'a member is added',
    20_000,
    changes(({ cluster }) => cluster.memberAdd({ peerURLs: [third.peerUrl] })),
    500,
  );

  expect(await world.run('join-member', { restoreId, initialCluster: 'other=https://127.0.0.1:1' }, [third])).toMatchObject([
    { outcome: 'failed', error: 'NotInInitialCluster' },
  ]);
  await world.do('join-member', { restoreId, initialCluster: world.nodes.initialCluster }, [third]);
  await world.ready();

  expect(await world.valuesOf('replaced')).toEqual(['x', 'x', 'x']);
  expect(await world.do('join-member', { restoreId, initialCluster: world.nodes.initialCluster }, [third])).toMatchObject([
    { now: { etcd: { running: true } } },
  ]);
  expect(await world.run('roll-back', { restoreId }, [third])).toMatchObject([{ outcome: 'failed', error: 'NotARestore' }]);
});

test('a stack that is deployed again has a changed document as the default, and leaves an unchanged one as it is', async () => {
  const says = (word: string) => ({
    kind: 'resource' as const,
    logicalId: 'Says',
    type: 'AWS::SSM::Document',
    properties: {
      Name: 'says',
      Content: {
        schemaVersion: '2.2',
        mainSteps: [{ action: 'aws:runShellScript', name: 'run', inputs: { runCommand: [`echo ${word}`] } }],
      },
    },
  });
  const said = async () => {
    const InstanceId = world.nodes.nodes[0]!.instanceId;
    const { Command } = await world.ssm.send(new SendCommandCommand({ DocumentName: 'says', InstanceIds: [InstanceId] }));
    const answer = () => world.ssm.send(new GetCommandInvocationCommand({ CommandId: Command?.CommandId, InstanceId }));
    await waitUntil('it is said', 10_000, async () => (await answer()).Status === 'Success');
    return (await answer()).StandardOutputContent;
  };
  for (const word of ['first', 'second', 'second'])
    await reconcile({ endpoint: world.cloud.endpoint, name: 'Nodes', region: world.cloud.region, outputs: {} }, [says(word)]);

  expect(await said()).toBe('second\n');
});
