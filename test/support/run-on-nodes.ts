import type { NodeCommandName } from '../../lambdas/contract/node-commands';
import { nodeParametersOf } from '../../lambdas/contract/node-commands';
import type { NodeSender, Sent } from '../../lambdas/nodes/node-sender';
import type { NodeOutcome } from '../../lambdas/nodes/read-result';

export interface RunEdges {
  readonly sender: NodeSender;
  readonly now: () => Date;
  /** Resolves after so many milliseconds. */
  readonly wait: (milliseconds: number) => Promise<void>;
}

export interface RunOptions {
  readonly instanceIds: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  /** Milliseconds until a document that still runs is cancelled. */
  readonly withinMs: number;
  /** @default 1000 */
  readonly pollMs?: number;
}

/**
 * Runs one document on several nodes at the same time and waits for all of them. A node that fails never keeps the others from ending.
 *
 * @throws ZodError when a parameter does not match its pattern: nothing was sent
 * @throws NodesUnreachable when Systems Manager refuses for a reason that is not the node's
 */
export async function runOnNodes<C extends NodeCommandName>(
  edges: RunEdges,
  command: C,
  { instanceIds, parameters, withinMs, pollMs = 1000 }: RunOptions,
): Promise<ReadonlyMap<string, NodeOutcome<C>>> {
  const checked = nodeParametersOf(command).parse(parameters);
  const deadline = edges.now().getTime() + withinMs;
  const outcomes = await Promise.all(
    instanceIds.map(async (instanceId): Promise<NodeOutcome<C>> => {
      // One command for each: by one command for all, a single node that vanished would keep all others from getting it.
      const sent = await edges.sender.send(command, instanceId, checked);
      if (sent === undefined) return { outcome: 'undeliverable', because: `${instanceId} is not a node that Systems Manager reaches` };
      return follow(edges, command, sent, deadline, pollMs);
    }),
  );
  return new Map(instanceIds.map((instanceId, index) => [instanceId, outcomes[index] as NodeOutcome<C>]));
}

async function follow<C extends NodeCommandName>(
  { sender, now, wait }: RunEdges,
  command: C,
  sent: Sent,
  deadline: number,
  pollMs: number,
): Promise<NodeOutcome<C>> {
  for (;;) {
    const reading = await sender.read(command, sent);
    if (reading.outcome !== 'running') return reading;
    if (now().getTime() >= deadline) {
      await sender.cancel(sent);
      return { outcome: 'timed-out', because: `${command} had not ended in time (${reading.because}) and was cancelled` };
    }
    await wait(pollMs);
  }
}
