import { z } from 'zod';
import { parseInput } from '../contract/parse-input';
import { ReplaceRequest } from '../contract/replace-member';
import { RestoreId } from '../contract/restore';
import type { NodeTags, RunbookNode } from '../contract/restore';
import { RestoreRefused } from './errors';
import type { FindNodesEdges } from './find-nodes';

/** The first state of a replacement: the execution's own input and name. */
export const FindReplacementEvent = z.object({ input: z.unknown(), execution: RestoreId });

export interface FoundReplacement {
  readonly request: ReplaceRequest;
  readonly restoreId: string;
  readonly lock: 'control-plane';
  /** The whole control plane: another node may be set up as the same member. */
  readonly asked: readonly RunbookNode[];
}

/**
 * @throws RestoreRefused naming every field, or the node, that does not fit
 * @throws NodesUnreachable when Systems Manager does not answer
 */
export async function findReplacement(
  edges: Pick<FindNodesEdges, 'registered'>,
  tag: NodeTags['controlPlane'],
  { input, execution }: z.infer<typeof FindReplacementEvent>,
): Promise<FoundReplacement> {
  const request = parseInput(ReplaceRequest, input, RestoreRefused);
  const asked = (await edges.registered(tag)).map(({ instanceId, host }) => ({ instanceId, host }));
  if (!asked.some(({ instanceId }) => instanceId === request.node))
    throw new RestoreRefused(
      `${request.node} does not carry ${tag.key}=${tag.value}, or its agent never registered: tag the instance, and see that the SSM agent runs on it`,
    );
  return { request, restoreId: execution, lock: 'control-plane', asked };
}
