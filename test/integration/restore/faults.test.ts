import type { RestoreOutcome } from '../../../lambdas/contract/restore';
import type { LocalNode } from '../../../local/nodes';
import type { NodeFault, Phase } from './faults';
import { NODE_FAULTS, PHASES, stoppedBefore, whileItRuns } from './faults';
import { runScript, succeeded } from '../../support/node-script';
import { Members } from '../nodes/members';
import { RestoreWorld } from './world';

jest.setTimeout(300_000);

/**
 * `every-node`: every fault at every state on every node, which takes hours. `every-fault`: each on one node, another one each time, 20 minutes.
 * By default one at each state, by turns the loss of a node and another, and once each what only happens at some states.
 */
const WHAT = process.env['LIFEBOAT_FAULTS'] ?? 'some';

let world: RestoreWorld;
let snapshot: string;
beforeAll(async () => {
  world = await RestoreWorld.start({ megabytes: 2 });
  await world.put('/registry/configmaps/default/before');
  snapshot = await world.backup();
});
afterEach(() => world.nodes.nodes.forEach((node) => node.heal()));
afterAll(() => world.stop());

interface Row {
  readonly phase: Phase;
  readonly fault: NodeFault;
  readonly node: number;
}
const isLoss = ({ kind }: NodeFault): boolean => kind === 'node-gone';
const cells = PHASES.flatMap((phase, index) => {
  const possible = NODE_FAULTS.filter(({ at }) => at?.(phase) ?? true);
  const anywhere = possible.filter(({ at }) => at === undefined);
  const others = anywhere.filter((fault) => !isLoss(fault));
  const turn = index % 2 === 0 ? anywhere.filter(isLoss) : [others[Math.floor(index / 2) % others.length] as NodeFault];
  const onlyHere = possible.filter(({ at }) => at !== undefined && PHASES.find(at) === phase);
  return (WHAT === 'some' ? [...turn, ...onlyHere] : possible).map((fault) => ({ phase, fault }));
});
const rows = cells.flatMap(({ phase, fault }, index): Row[] =>
  (WHAT === 'every-node' ? [0, 1, 2] : [index % 3]).map((node) => ({ phase, fault, node })),
);

/** What the execution has to end with. */
function endOf({ phase, fault }: Row): RestoreOutcome {
  if (fault.kind === 'passes') return 'RESTORED';
  if (!stoppedBefore(phase)) return 'UNHARMED';
  return fault.kind === 'node-gone' ? 'NEEDS_HANDS' : 'ROLLED_BACK';
}

const factsOf = async (node: LocalNode) => succeeded('facts', await runScript('facts', node.paths, node.env));

describe('a node that dies under a document, is given up, and comes back when everything was rolled back', () => {
  const dead = whileItRuns('loses its node', 'node-gone', (node) => node.powerOff());

  test.each([
    ['RestoreData', 'puts the restored data in place and starts nothing', false],
    ['StartEtcd', 'starts a member with the restored data, which finds nobody of its cluster', true],
  ])('%s: goes on by itself, %s, and serves what the others serve once it is rolled back', async (state, _what, startsEtcd) => {
    const node = world.nodes.nodes[1] as LocalNode;
    const others = new Members({ ...world.nodes, endpoints: world.nodes.endpoints.filter((each) => each !== node.clientUrl) });
    const after = `/registry/configmaps/default/back-${Date.now()}`;
    await world.put(after);
    const before = await factsOf(node);
    const beside = dead.arm(node, PHASES.find((phase) => phase.state === state) as Phase);

    const execution = await world.lifeboat.restore.start({ snapshot, approval: 'skip', waitForNodesSeconds: 6 });
    await beside?.();
    expect(await execution.wait({ timeoutMs: 240_000 })).toMatchObject({ error: 'NEEDS_HANDS' });
    const facts = { data: { restoredBy: execution.name }, etcd: { running: startsEtcd } };

    node.heal();
    await node.reboot();
    await world.idle(node);
    // The document that nobody waited for any more has run: what it left on the node is restored data, and the others serve the old.
    expect(await factsOf(node)).toMatchObject(facts);
    expect(await others.valuesOf(after)).toEqual(['x', 'x']);
    expect(new Set((await others.hashes()).hashes).size).toBe(1);

    expect(await world.run({ rollBack: execution.name })).toMatchObject({ error: 'ROLLED_BACK' });
    await world.ready();
    expect(await factsOf(node)).toMatchObject({ data: { restoredBy: before.data?.restoredBy }, etcd: { running: true } });
    expect(await world.kinds()).toEqual({ hashes: 1, clusters: 1 });
    expect(await world.valuesOf(after)).toEqual(['x', 'x', 'x']);
  });
});

test.each(
  rows.map((row) => [`${row.phase.state}: a document that ${row.fault.name} on node ${row.node + 1} ends as ${endOf(row)}`, row] as const),
)('%s', async (_sentence, row) => {
  const { phase, fault } = row;
  const node = world.nodes.nodes[row.node] as LocalNode;
  const after = `/registry/configmaps/default/after-${Date.now()}`;
  await world.put(after);
  const highest = await world.revision();
  const beside = fault.arm(node, phase);

  const execution = await world.lifeboat.restore.start({ snapshot, approval: 'skip', waitForNodesSeconds: 6 });
  await beside?.();
  const end = await execution.wait({ timeoutMs: 240_000 });
  const report = await world.report(execution.name);

  node.heal();
  expect([report.outcome, end.cause]).toEqual([endOf(row), end.cause]);
  expect(end.status).toBe(report.outcome === 'RESTORED' ? 'SUCCEEDED' : 'FAILED');
  if (report.outcome === 'NEEDS_HANDS') {
    expect(report.whatToDo.join('\n')).toContain(`{"rollBack":"${execution.name}","nodes":[`);
    await node.reboot();
    const again = await world.run({ rollBack: execution.name });
    expect([again.status, again.error]).toEqual(['FAILED', 'ROLLED_BACK']);
  } else if (fault.kind === 'node-gone') await node.reboot();
  await world.ready();
  await world.idle(node);

  // Never mixed, never stopped: everybody serves the one or everybody the other.
  expect(await world.kinds()).toEqual({ hashes: 1, clusters: 1 });
  const old = report.outcome === 'RESTORED' ? null : 'x';
  expect(await world.valuesOf(after)).toEqual([old, old, old]);
  expect(await world.valuesOf('/registry/configmaps/default/before')).toEqual(['x', 'x', 'x']);
  if (report.outcome === 'RESTORED') expect(await world.revision()).toBeGreaterThan(highest);
  await world.apiserversAreReady();
});
