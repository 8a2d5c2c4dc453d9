import { z } from 'zod';
import { causeWords } from '../contract/function-failure';
import { NodeCommands, nodeParametersOf, runSecondsOf } from '../contract/node-commands';
import type { NodeCommandName } from '../contract/node-commands';
import { NodeEnd, RunbookNode } from '../contract/restore';
import { NodesFailed } from './errors';
import { Attempt, nextStep } from './next-step';
import type { NextStep } from './next-step';
import type { NodeOutcome, Reading } from './read-result';
import type { NodeSender } from './node-sender';

const command = z.enum(Object.keys(NodeCommands) as [NodeCommandName, ...NodeCommandName[]]);
/** So long nobody asks after the node of a document that was sent: nearly all end sooner, and requests are rationed for each account. */
const TRUSTED_SECONDS = 5;

const common = { command, node: RunbookNode, silenceSeconds: z.number().int().min(0).max(3600) };

/** What a state machine asks for: one step with one document on one node, or a verdict on how a document ended on all of them. */
export const NodeCommandEvent = z.discriminatedUnion('do', [
  z.object({
    do: z.literal('send'),
    ...common,
    parameters: z.record(z.string(), z.string()),
    run: z.object({ attempt: Attempt.optional() }).optional(),
  }),
  z.object({ do: z.literal('read'), ...common, run: z.object({ attempt: Attempt }) }),
  z.object({ do: z.literal('judge'), command, ends: z.array(NodeEnd) }),
]);
export type NodeCommandEvent = z.infer<typeof NodeCommandEvent>;

/** The answer to `send` and `read`: what the state machine does next. */
export type NodeRun =
  | { readonly next: 'read' | 'send'; readonly waitSeconds: number; readonly attempt: Attempt; readonly because: string }
  | { readonly next: 'over'; readonly end: NodeEnd };

export interface NodeCommandEdges {
  readonly sender: NodeSender;
  readonly now: () => Date;
}

type Step<D extends NodeCommandEvent['do']> = Extract<NodeCommandEvent, { do: D }>;

/**
 * Sends a document to one node.
 *
 * @throws ZodError when a parameter does not match its pattern: nothing was sent
 * @throws NodesUnreachable when Systems Manager refuses for a reason that is not the node's
 */
export async function sendToNode({ sender, now }: NodeCommandEdges, event: Step<'send'>): Promise<NodeRun> {
  const { command, node, run } = event;
  const parameters = nodeParametersOf(command).parse(event.parameters);
  const sent = await sender.send(command, node.instanceId, parameters);
  const attempt: Attempt = {
    ...run?.attempt,
    commandId: sent?.commandId ?? '',
    since: now().toISOString(),
    runSeconds: runSecondsOf(command, parameters),
  };
  if (sent !== undefined) return { next: 'read', waitSeconds: 1, attempt, because: 'it was sent' };
  const unknown = { outcome: 'undeliverable', because: `${node.instanceId} is not a node that Systems Manager reaches` } as const;
  return runOf(event, nextStep(unknown, attempt, { silenceSeconds: event.silenceSeconds, online: false, now: now() }));
}

/** Reads what became of it. A copy that nobody waits for any more is cancelled before the next one is sent. */
export async function readFromNode({ sender, now }: NodeCommandEdges, event: Step<'read'>): Promise<NodeRun> {
  const { command, node, silenceSeconds } = event;
  const { attempt } = event.run;
  const sent = { commandId: attempt.commandId, instanceId: node.instanceId };
  const reading: Reading<NodeCommandName> = await sender.read(command, sent);
  const asks = reading.outcome === 'running' && now().getTime() - Date.parse(attempt.since) >= TRUSTED_SECONDS * 1000;
  const online = asks ? await sender.isOnline(node.instanceId) : true;
  const step = nextStep(reading, attempt, { silenceSeconds, online, now: now() });
  if (step.cancel) await sender.cancel(sent);
  return runOf(event, step);
}

function runOf({ node }: Pick<Step<'read'>, 'node'>, step: NextStep<NodeCommandName>): NodeRun {
  if (step.next === 'over') return { next: 'over', end: endOf(node, step.outcome) };
  const { next, waitSeconds, attempt, because } = step;
  return { next, waitSeconds, attempt, because };
}

function endOf(node: RunbookNode, outcome: NodeOutcome<NodeCommandName>): NodeEnd {
  if (outcome.outcome === 'done') return { ...node, outcome: 'done', result: outcome.result };
  if (outcome.outcome !== 'failed') return { ...node, ...outcome };
  return { ...node, outcome: 'failed', error: outcome.error, because: outcome.message, fix: outcome.fix };
}

/**
 * Whether a document did what it should on every node.
 *
 * @throws NodesFailed naming each node on which it did not, why, and what to do
 */
export function judgeNodes({ command, ends }: Pick<Step<'judge'>, 'command' | 'ends'>): { readonly nodes: number } {
  const wrong = ends.filter(({ outcome }) => outcome !== 'done');
  if (wrong.length === 0) return { nodes: ends.length };
  const lines = wrong.map(({ host, instanceId, outcome, error, because, fix }) => {
    const todo = fix === undefined ? '' : ` (${fix})`;
    return `${host} ${instanceId}: ${error ?? outcome}, ${causeWords(because ?? 'nothing is known')}${todo}`;
  });
  throw new NodesFailed(`${command} failed on ${wrong.length} of ${ends.length} nodes: ${lines.join('; ')}`);
}
