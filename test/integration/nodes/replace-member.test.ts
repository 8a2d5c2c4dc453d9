import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ErrorName } from '../../../lambdas/contract/errors';
import type { ReplaceRequest } from '../../../lambdas/contract/replace-member';
import type { NodeEnd } from '../../../lambdas/contract/restore';
import { openEtcd } from '../../../lambdas/etcd/client/etcd-reader';
import { openSurgeon } from '../../../lambdas/etcd/client/etcd-surgeon';
import type { PlanEdges, PlannedReplacement } from '../../../lambdas/restore/change-members';
import { addMember, checkMembers, planMembers, promoteMember, removeMember } from '../../../lambdas/restore/change-members';
import { sleep, waitUntil } from '../../../local/child-process';
import type { LocalNode } from '../../../local/nodes';
import { WRITE_MS, startWriter } from '../../support/steady-writer';
import { NodesWorld } from './world';

jest.setTimeout(240_000);

/**
 * A follower calls an election between one and two election timeouts after it last heard from a leader (raft, randomizedElectionTimeout); the local
 * members have 2 s. A write that runs into it takes its own time, and the machine may be busy.
 */
const ELECTION_MS = 2 * 2_000;
const LONGEST_MS = ELECTION_MS + WRITE_MS + 1_000;

let world: NodesWorld;
let edges: PlanEdges & { close(): void };
beforeAll(async () => {
  world = await NodesWorld.start();
  const { endpoints, credentials } = world.nodes;
  const etcd = openEtcd(endpoints, credentials);
  const surgeon = openSurgeon(endpoints, credentials);
  const telemetry = { log: () => undefined, warn: () => undefined };
  const close = () => [etcd, surgeon].forEach((each) => each.close());
  edges = { etcd, surgeon, telemetry, newestVerified: async () => '20261126T020000Z-0000000a', wait: sleep, close };
});
afterAll(async () => {
  edges.close();
  await world.stop();
});

const nodeNamed = (name: string): LocalNode => world.nodes.nodes.find((node) => node.name === name)!;
async function leader(): Promise<LocalNode> {
  const { members } = await edges.etcd.gather();
  const found = members.flatMap((member) => (member.reachable && member.status.id === member.status.leaderId ? [member.status.name] : []));
  return nodeNamed(found[0]!);
}
const othersOf = (node: LocalNode): LocalNode[] => world.nodes.nodes.filter((each) => each !== node);

async function planFor(node: LocalNode, restoreId: string, request: Partial<ReplaceRequest> = {}): Promise<PlannedReplacement> {
  const outcomes = await world.run('facts', {}, world.nodes.nodes);
  const facts = outcomes.map((outcome, at): NodeEnd => {
    const { instanceId, host } = world.nodes.nodes[at]!;
    return { instanceId, host, outcome: outcome.outcome, ...(outcome.outcome === 'done' && { result: outcome.result }) };
  });
  const defaults = { force: false, allowEven: false, approval: 'skip', approvalSeconds: 1, waitForNodesSeconds: 0 } as const;
  return planMembers(edges, { do: 'plan', request: { node: node.instanceId, ...defaults, ...request }, restoreId, facts });
}

/** Asks again while etcd is not ready, as the state machine does. */
async function repeated<T>(what: string, step: () => Promise<T>): Promise<T> {
  let answer: T | undefined;
  const done = async () => {
    try {
      answer = await step();
      return true;
    } catch (error) {
      if ((error as Error).name === ErrorName.etcdNotReady) return false;
      throw error;
    }
  };
  await waitUntil(what, 60_000, done, 300);
  return answer as T;
}

/** What the runbook does after the plan. */
async function carryOut({ plan, endpoints }: PlannedReplacement, node: LocalNode) {
  await world.do('leave', { restoreId: plan.restoreId }, [node]);
  const where = { plan, endpoints: [...endpoints] };
  await repeated('the dead member is removed', () => removeMember(edges, { do: 'remove', ...where }));
  const { learner } = await repeated('a learner is added', () => addMember(edges, { do: 'add', ...where }));
  await world.do('join-member', { restoreId: plan.restoreId, initialCluster: plan.initialCluster }, [node]);
  await repeated('it is promoted', () => promoteMember(edges, { do: 'promote', ...where, learner }));
  return repeated('all members serve the same', () => checkMembers(edges, { do: 'check', ...where }));
}

/** The files are gone under a running etcd, which then ends: its kubelet starts it again and again on an empty disk. */
function loseDisk(node: LocalNode): void {
  const { dataDir } = node.tree;
  for (const entry of readdirSync(dataDir)) rmSync(path.join(dataDir, entry), { recursive: true });
  process.kill(node.pid('etcd')!, 'SIGKILL');
}

test.each<[who: string, choose: () => Promise<LocalNode>]>([
  ['a follower', async () => othersOf(await leader())[0]!],
  ['the leader', leader],
])('the member of %s whose disk was wiped is replaced while writes go on', async (_who, choose) => {
  const node = await choose();
  const endpoints = othersOf(node).map(({ clientUrl }) => clientUrl);
  const prefix = `/registry/configmaps/default/${node.name}-`;
  const stopWriting = startWriter(endpoints, world.nodes.credentials, prefix);

  loseDisk(node);
  const planned = await repeated('the member is seen dead', async () => planFor(node, randomUUID()));
  const checked = await carryOut(planned, node);
  const report = await stopWriting();

  expect(checked).toMatchObject({ voters: 3, members: expect.arrayContaining(world.nodes.nodes.map(({ name }) => name)) as string[] });
  console.log(JSON.stringify({ ...report, written: report.written.length }));
  expect(report.longestGapMs).toBeLessThan(LONGEST_MS);
  expect(report.written.length).toBeGreaterThan(100);
  const keys = await world.ask((client) => client.getAll().prefix(prefix).keys(), node.clientUrl);
  expect(report.written.filter((key) => !keys.includes(key))).toEqual([]);
});

test('without a majority nothing is changed, and the restore to run is named', async () => {
  const [first, ...others] = world.nodes.nodes as [LocalNode, LocalNode, LocalNode];
  const restoreId = randomUUID();
  await world.do('stop', { restoreId, what: 'etcd' }, others);

  const refused = planFor(first, randomUUID(), { force: true });

  await expect(refused).rejects.toMatchObject({
    name: ErrorName.restoreRefused,
    message: expect.stringMatching(/no majority.*run the restore runbook.*20261126T020000Z-0000000a/) as string,
  });
  await world.do('start', { restoreId, what: 'etcd' }, others);
  await world.ready();
});
