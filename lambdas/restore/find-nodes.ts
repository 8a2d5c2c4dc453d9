import { z } from 'zod';
import { RestoreId, RestoreRequest } from '../contract/restore';
import type { NodeTags, RestoreMode, RunbookNode } from '../contract/restore';
import type { RegisteredNode } from '../nodes/ssm-nodes';
import { RestoreRefused } from './errors';

/** The first state of the runbook: the execution's own input and name. */
export const FindNodesEvent = z.object({ input: z.unknown(), execution: RestoreId });

/** What every state after it builds on. */
export interface FoundNodes {
  readonly request: RestoreRequest;
  readonly restoreId: string;
  readonly mode: RestoreMode;
  /** The lock that it takes: a drill on machines of its own never keeps a restore waiting. */
  readonly lock: 'control-plane' | 'drill';
  /** The nodes that are restored. */
  readonly nodes: readonly RunbookNode[];
  /** Those, and the rest of the control plane: nothing of it may go on serving what is about to be replaced. */
  readonly asked: readonly RunbookNode[];
}

export interface FindNodesEdges {
  registered(tag: NodeTags['controlPlane']): Promise<readonly RegisteredNode[]>;
}

/**
 * @throws RestoreRefused naming the node or the tag that does not fit
 * @throws NodesUnreachable when Systems Manager does not answer
 */
export async function findNodes(edges: FindNodesEdges, tags: NodeTags, request: RestoreRequest, execution: string): Promise<FoundNodes> {
  const [controlPlane, drill] = await Promise.all([edges.registered(tags.controlPlane), edges.registered(tags.drill)]);
  const restoreId = request.rollBack ?? execution;
  const mode = request.rollBack === undefined ? modeOf(request, controlPlane, drill, tags) : 'roll-back';
  const known = [...controlPlane, ...drill];
  const wanted = request.nodes ?? (mode === 'drill' ? drill : controlPlane).map(({ instanceId }) => instanceId);
  const strangers = wanted.filter((id) => !known.some(({ instanceId }) => instanceId === id));
  if (strangers.length > 0) {
    throw new RestoreRefused(
      `${strangers.join(', ')} carries neither ${tagText(tags.controlPlane)} nor ${tagText(tags.drill)}, or its agent never registered: give the instance one of these tags, and see that the SSM agent runs on it`,
    );
  }
  if (wanted.length === 0) {
    const tag = tagText(mode === 'drill' ? tags.drill : tags.controlPlane);
    throw new RestoreRefused(
      `systems manager knows no node with the tag ${tag}: tag the instances, and see that the SSM agent runs on them`,
    );
  }
  const nodes = known.filter(({ instanceId }) => wanted.includes(instanceId)).map(nameOf);
  const others = mode === 'in-place' ? controlPlane.filter(({ instanceId }) => !wanted.includes(instanceId)).map(nameOf) : [];
  const lock = nodes.some(({ instanceId }) => controlPlane.some((node) => node.instanceId === instanceId)) ? 'control-plane' : 'drill';
  return { request, restoreId, mode, lock, nodes, asked: [...nodes, ...others] };
}

function modeOf(
  { nodes, drill }: RestoreRequest,
  controlPlane: readonly RegisteredNode[],
  spare: readonly RegisteredNode[],
  tags: NodeTags,
): Exclude<RestoreMode, 'roll-back'> {
  const among = (some: readonly RegisteredNode[]) => (id: string) => some.some(({ instanceId }) => instanceId === id);
  const serving = (nodes ?? []).filter(among(controlPlane));
  if (drill) {
    if (serving.length === 0) return 'drill';
    throw new RestoreRefused(
      `${serving.join(', ')} carries ${tagText(tags.controlPlane)}: a drill runs on nodes with ${tagText(tags.drill)} only`,
    );
  }
  if (nodes === undefined || serving.length === nodes.length) return 'in-place';
  if (nodes.every(among(spare))) return 'elsewhere';
  if (serving.length === 0) return 'elsewhere'; // told below by name
  throw new RestoreRefused(
    `nodes holds members of the control plane (${serving.join(', ')}) and others: give either, since one restore makes one cluster`,
  );
}

const nameOf = ({ instanceId, host }: RegisteredNode): RunbookNode => ({ instanceId, host });
const tagText = ({ key, value }: NodeTags['controlPlane']): string => `${key}=${value}`;

/** @throws RestoreRefused naming every field that does not fit */
export function parseInput<T>(shape: z.ZodType<T>, input: unknown): T {
  const parsed = shape.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => `${path.map(String).join('.') || 'input'}: ${message}`);
  throw new RestoreRefused(`the input of the execution does not fit: ${mistakes.join('; ')}`, { cause: parsed.error });
}

export const parseRequest = (input: unknown): RestoreRequest => parseInput(RestoreRequest, input);
