import type { Reading } from '../../lambdas/nodes/read-result';
import type { NodeSender, Sent } from '../../lambdas/nodes/node-sender';
import type { RunEdges } from '../support/run-on-nodes';
import { runOnNodes } from '../support/run-on-nodes';

type Answer = Reading<'clean-up'>;
const RUNNING: Answer = { outcome: 'running', delivered: true, because: 'InProgress' };
const DONE: Answer = { outcome: 'done', result: { freedBytes: 1, usedBytes: 0, kept: [] } };

/** Nodes that give one answer after another, and a clock that waiting moves. */
function world(answers: Readonly<Record<string, readonly Answer[]>>): { edges: RunEdges; sent: unknown[]; cancelled: Sent[] } {
  let clock = 0;
  const sent: unknown[] = [];
  const cancelled: Sent[] = [];
  const left = new Map(Object.entries(answers).map(([id, list]) => [id, [...list]]));
  const sender: NodeSender = {
    send: async (command, instanceId, parameters) => {
      sent.push({ command, instanceId, parameters });
      return left.has(instanceId) ? { commandId: `of ${instanceId}`, instanceId } : undefined;
    },
    read: async (_command, { instanceId }) => (left.get(instanceId)?.shift() ?? RUNNING) as never,
    isOnline: async () => true,
    cancel: async (command) => {
      cancelled.push(command);
    },
  };
  return { edges: { sender, now: () => new Date(clock), wait: async (ms) => void (clock += ms) }, sent, cancelled };
}

const options = (...instanceIds: string[]) => ({ instanceIds, parameters: {}, withinMs: 5_000 });

test('waits for each node, and a node that fails keeps no other from ending', async () => {
  const failed: Answer = { outcome: 'garbled', because: 'x' };
  const { edges } = world({ a: [RUNNING, RUNNING, DONE], b: [failed] });

  const outcomes = await runOnNodes(edges, 'clean-up', options('a', 'b'));

  expect([...outcomes]).toEqual([
    ['a', DONE],
    ['b', failed],
  ]);
});

test('a node that is not registered is undeliverable', async () => {
  const { edges } = world({ a: [DONE] });

  const outcomes = await runOnNodes(edges, 'clean-up', options('a', 'gone'));

  expect(outcomes.get('a')).toEqual(DONE);
  expect(outcomes.get('gone')).toMatchObject({ outcome: 'undeliverable', because: expect.stringContaining('gone') as string });
});

test('cancels what has not ended in time', async () => {
  const { edges, cancelled } = world({ a: [], b: [DONE] });

  const outcomes = await runOnNodes(edges, 'clean-up', options('a', 'b'));

  expect(outcomes.get('a')).toMatchObject({ outcome: 'timed-out' });
  expect(cancelled).toEqual([{ commandId: 'of a', instanceId: 'a' }]);
});

test.each<[sentence: string, parameters: Record<string, string>]>([
  ['that would leave its quotes', { stateDir: "/x'; reboot; '" }],
  ['that the document does not have', { restoreId: 'r1' }],
])('sends nothing with a parameter %s', async (_sentence, parameters) => {
  const { edges, sent } = world({ a: [DONE] });

  await expect(runOnNodes(edges, 'clean-up', { ...options('a'), parameters })).rejects.toThrow();

  expect(sent).toEqual([]);
});
