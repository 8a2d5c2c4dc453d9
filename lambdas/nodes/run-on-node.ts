import type { NodeCommandName, NodeResultOf } from '../contract/node-commands';
import type { RunbookNode } from '../contract/restore';
import { NodesFailed } from './errors';
import { judgeNodes, readFromNode, sendToNode } from './node-command';
import type { NodeCommandEdges, NodeRun } from './node-command';

export interface RunOnNodeEdges extends NodeCommandEdges {
  /** Resolves after so many milliseconds. */
  readonly wait: (milliseconds: number) => Promise<void>;
}

export interface RunOnNode<C extends NodeCommandName> {
  readonly command: C;
  readonly node: RunbookNode;
  readonly parameters: Readonly<Record<string, string>>;
  /** How long a node is waited for that does not answer, seconds. */
  readonly silenceSeconds: number;
  /** When nobody waits any more; the document may still run then. */
  readonly until: Date;
}

/**
 * Runs one document on one node to its end, for a function that has nobody behind it who would wait in its place.
 *
 * @throws NodesFailed when the document did not do what it should, or had not ended in time
 * @throws NodesUnreachable when Systems Manager refuses for a reason that is not the node's
 */
export async function runOnNode<C extends NodeCommandName>(edges: RunOnNodeEdges, run: RunOnNode<C>): Promise<NodeResultOf<C>> {
  const { command, node, parameters, silenceSeconds, until } = run;
  const common = { command, node, silenceSeconds };
  let step: NodeRun = await sendToNode(edges, { do: 'send', ...common, parameters });
  while (step.next !== 'over') {
    const { attempt, waitSeconds, because } = step;
    if (edges.now().getTime() + waitSeconds * 1000 > until.getTime())
      throw new NodesFailed(`${command} has not ended on ${node.host} in time (${because}): it goes on by itself, repeat this later`);
    await edges.wait(waitSeconds * 1000);
    step =
      step.next === 'send'
        ? await sendToNode(edges, { do: 'send', ...common, parameters, run: { attempt } })
        : await readFromNode(edges, { do: 'read', ...common, run: { attempt } });
  }
  judgeNodes({ command, ends: [step.end] });
  return step.end.result as NodeResultOf<C>;
}
