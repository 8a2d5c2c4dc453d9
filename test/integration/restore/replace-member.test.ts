import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ReplaceReport } from '../../../lambdas/contract/replace-member';
import type { LocalNode } from '../../../local/nodes';
import { WRITE_MS, startWriter } from '../../support/steady-writer';
import { RestoreWorld } from './world';

jest.setTimeout(300_000);

/** One and two election timeouts of 2 s, a write that runs into it, and a busy machine: see test/integration/nodes/replace-member.test.ts. */
const LONGEST_MS = 2 * 2_000 + WRITE_MS + 1_000;

let world: RestoreWorld;
beforeAll(async () => {
  world = await RestoreWorld.start({ megabytes: 2 });
});
afterEach(() => world.nodes.nodes.forEach((node) => node.heal()));
afterAll(() => world.stop());

async function replace(input: object) {
  const execution = await world.lifeboat.replaceMember.start(input);
  return { execution, ended: execution.wait({ timeoutMs: 200_000 }) };
}
const reportOf = async (restoreId: string) => ReplaceReport.parse(JSON.parse(await world.file(restoreId, 'report.json')));

function loseDisk(node: LocalNode): void {
  const { dataDir } = node.tree;
  for (const entry of readdirSync(dataDir)) rmSync(path.join(dataDir, entry), { recursive: true });
  // A second try of the test finds none.
  const pid = node.pid('etcd');
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
}

test('a member whose disk was wiped is replaced after somebody approved it, while writes go on', async () => {
  const [node, ...others] = world.nodes.nodes as [LocalNode, LocalNode, LocalNode];
  const prefix = '/registry/configmaps/default/steady-';
  const stopWriting = startWriter(others.map(({ clientUrl }) => clientUrl), world.nodes.credentials, prefix); // prettier-ignore
  loseDisk(node);

  const { execution, ended } = await replace({ node: node.instanceId });
  const question = await world.question(execution);
  expect(question).toContain(`${node.name} joins on`);
  await world.cloud.succeedTask(/--task-token '([^']+)'/.exec(question)![1]!, { approvedBy: 'somebody' });

  expect(await ended).toMatchObject({ status: 'SUCCEEDED' });
  const report = await stopWriting();
  console.log(JSON.stringify({ ...report, written: report.written.length }));
  expect(await reportOf(execution.name)).toMatchObject({ outcome: 'REPLACED' });
  expect(report.longestGapMs).toBeLessThan(LONGEST_MS);
  await world.ready();
  const keys = await world.ask((client) => client.getAll().prefix(prefix).keys(), node.clientUrl);
  expect(report.written.filter((key) => !keys.includes(key))).toEqual([]);
  expect(await world.kinds()).toEqual({ hashes: 1, clusters: 1 });
});

test('a member that serves is not replaced, and nothing is changed', async () => {
  const before = await world.ask(({ cluster }) => cluster.memberList({}));

  const { execution, ended } = await replace({ node: world.nodes.nodes[1]!.instanceId, approval: 'skip' });

  expect(await ended).toMatchObject({ status: 'FAILED', error: 'REFUSED', cause: expect.stringContaining('say force') as string });
  expect(await reportOf(execution.name)).toMatchObject({ outcome: 'REFUSED' });
  const { members } = await world.ask(({ cluster }) => cluster.memberList({}));
  expect(members).toEqual(before.members);
});

test('a node that cannot join leaves its member out, and the next execution goes on from there', async () => {
  const node = world.nodes.nodes[2]!;
  loseDisk(node);
  node.interfere('join-member', 'exit 1');
  const input = { node: node.instanceId, approval: 'skip', waitForNodesSeconds: 3, force: true };

  const first = await replace(input);

  expect(await first.ended).toMatchObject({ status: 'FAILED', error: 'LEFT_OUT' });
  const report = await reportOf(first.execution.name);
  expect(report.members).toHaveLength(2);
  expect(report.whatToDo.join('\n')).toContain(`{"node":"${node.instanceId}"}`);
  await world.put('/registry/configmaps/default/left-out');
  node.heal();

  const second = await replace({ node: node.instanceId, approval: 'skip' });

  expect(await second.ended).toMatchObject({ status: 'SUCCEEDED' });
  await world.ready();
  expect(await world.valuesOf('/registry/configmaps/default/left-out')).toEqual(['x', 'x', 'x']);
});
