import { NodeCommandEvent, judgeNodes, readFromNode, sendToNode } from '../../lambdas/nodes/node-command';
import type { Reading } from '../../lambdas/nodes/read-result';
import type { NodeSender } from '../../lambdas/nodes/node-sender';

const NOW = new Date('2026-11-26T03:00:00.000Z');
const node = { instanceId: 'i-0123456789abcdef0', host: 'master-1' };
const common = { command: 'clean-up', node, silenceSeconds: 60 } as const;
const attempt = { commandId: 'c1', since: NOW.toISOString(), runSeconds: 900 };
const read = { do: 'read', ...common, run: { attempt } } as const;
const since = (seconds: number) => ({
  ...read,
  run: { attempt: { ...attempt, since: new Date(NOW.getTime() - seconds * 1000).toISOString() } },
});

function edges(
  reading: Reading<'clean-up'>,
  sent: { commandId: string; instanceId: string } | undefined = { commandId: 'c1', instanceId: node.instanceId },
  online = true,
) {
  const cancelled: string[] = [];
  const askedAfter: string[] = [];
  const sender = {
    send: () => Promise.resolve(sent),
    read: () => Promise.resolve(reading),
    isOnline: (instanceId) => {
      askedAfter.push(instanceId);
      return Promise.resolve(online);
    },
    cancel: ({ commandId }) => Promise.resolve(void cancelled.push(commandId)),
  } as NodeSender;
  return { sender, now: () => NOW, cancelled, askedAfter };
}
const done: Reading<'clean-up'> = { outcome: 'done', result: { freedBytes: 1, usedBytes: 2, kept: [] } };

test('a document that was sent is read next', async () => {
  expect(await sendToNode(edges(done), { do: 'send', ...common, parameters: {} })).toEqual({
    next: 'read',
    waitSeconds: 1,
    attempt,
    because: 'it was sent',
  });
});

test('a node that systems manager does not know is asked again for a while', async () => {
  const nowhere = { ...edges(done), sender: { ...edges(done).sender, send: () => Promise.resolve(undefined) } };

  expect(await sendToNode(nowhere, { do: 'send', ...common, parameters: {} })).toMatchObject({
    next: 'send',
    attempt: { troubleSince: NOW.toISOString() },
  });
  expect(await sendToNode(nowhere, { do: 'send', ...common, silenceSeconds: 0, parameters: {} })).toMatchObject({
    next: 'over',
    end: { ...node, outcome: 'undeliverable' },
  });
});

test('a parameter that does not match its pattern is refused before anything is sent', async () => {
  const event = { do: 'send', ...common, command: 'stop', parameters: { restoreId: "x'; reboot" } } as const;

  await expect(sendToNode(edges(done), event)).rejects.toThrow('does not match');
});

test('an attempt that is sent again has all of its time again, and keeps the time at which the trouble began', async () => {
  const earlier = { ...attempt, commandId: 'c0', since: '2026-11-26T02:00:00.000Z', troubleSince: '2026-11-26T02:59:00.000Z' };

  expect(await sendToNode(edges(done), { do: 'send', ...common, parameters: {}, run: { attempt: earlier } })).toMatchObject({
    attempt: { ...attempt, troubleSince: earlier.troubleSince },
  });
});

test('a document is waited for as long as the parameters let it wait', async () => {
  const event = { do: 'send', ...common, command: 'stop', parameters: { restoreId: 'r1', what: 'apiserver', waitSeconds: '30' } } as const;

  expect(await sendToNode(edges(done), event)).toMatchObject({ attempt: { runSeconds: 30 + 60 } });
});

test.each<[sentence: string, reading: Reading<'clean-up'>, end: object]>([
  ['its result', done, { outcome: 'done', result: { freedBytes: 1, usedBytes: 2, kept: [] } }],
  [
    'the error, the reason and the fix that it gave',
    { outcome: 'failed', error: 'NoSpace', message: 'full', fix: 'free some' },
    { outcome: 'failed', error: 'NoSpace', because: 'full', fix: 'free some' },
  ],
  ['how it was cut short', { outcome: 'timed-out', because: 'too long' }, { outcome: 'timed-out', because: 'too long' }],
])('the end of a document tells %s', async (_sentence, reading, end) => {
  expect(await readFromNode(edges(reading), read)).toEqual({ next: 'over', end: { ...node, ...end } });
});

const running: Reading<'clean-up'> = { outcome: 'running', delivered: true, because: 'InProgress' };

test('a document that has not ended in its time is cancelled before it is sent again', async () => {
  const hanging = edges(running);

  expect(await readFromNode(hanging, since(900))).toEqual({
    next: 'send',
    waitSeconds: 5,
    attempt: { ...since(900).run.attempt, troubleSince: NOW.toISOString() },
    because: 'it had not ended after 900 s (InProgress) and was cancelled',
  });
  expect(hanging.cancelled).toEqual(['c1']);
});

test('a document whose node is away for too long is cancelled, and the node called lost', async () => {
  const gone = edges(running, undefined, false);

  expect(await readFromNode(gone, { ...since(60), silenceSeconds: 0 })).toMatchObject({ next: 'over', end: { ...node, outcome: 'lost' } });
  expect(gone.cancelled).toEqual(['c1']);
});

test.each<[sentence: string, reading: Reading<'clean-up'>, ran: number, asked: string[]]>([
  ['is asked about while a document runs', running, 5, [node.instanceId]],
  ['is not asked about before most documents have ended', running, 4, []],
  ['is not asked about when a document has ended', done, 60, []],
])('a node %s', async (_sentence, reading, ran, asked) => {
  const looking = edges(reading);

  await readFromNode(looking, since(ran));

  expect(looking.askedAfter).toEqual(asked);
});

test('a verdict names every node on which a document failed, why, and what to do', () => {
  const ends = [
    { ...node, outcome: 'done' as const },
    {
      instanceId: 'i-0123456789abcdef1',
      host: 'master-2',
      outcome: 'failed' as const,
      error: 'NoSpace',
      because: 'full',
      fix: 'free some',
    },
    { instanceId: 'i-0123456789abcdef2', host: 'master-3', outcome: 'lost' as const },
  ];

  expect(() => judgeNodes({ command: 'stage', ends })).toThrow(
    'stage failed on 2 of 3 nodes: master-2 i-0123456789abcdef1: NoSpace, full (free some); master-3 i-0123456789abcdef2: lost, nothing is known',
  );
  expect(judgeNodes({ command: 'stage', ends: ends.slice(0, 1) })).toEqual({ nodes: 1 });
});

test('an event for a document that does not exist is refused', () => {
  expect(NodeCommandEvent.safeParse({ ...read, command: 'reboot' }).success).toBe(false);
});
