import { z } from 'zod';
import { parseInput } from '../contract/parse-input';
import { RestoreId, RestoreRequest } from '../contract/restore';
import type { NodeTags, RestoreMode, RunbookNode } from '../contract/restore';
import type { RestoreFile } from '../contract/s3-keys';
import type { RegisteredNode } from '../nodes/ssm-nodes';
import { RestoreRefused } from './errors';
import { rollBackTarget } from './roll-back-target';

/** The first state of the runbook: the execution's own input, name and ARN. */
export const FindNodesEvent = z.object({ input: z.unknown(), execution: RestoreId, arn: z.string() });
export type FindNodesEvent = z.infer<typeof FindNodesEvent>;

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
  /** A file that an earlier restore left; undefined when there is none. */
  readNote(restoreId: string, file: Extract<RestoreFile, 'plan.json' | 'report.json'>): Promise<string | undefined>;
  /** How an execution of this runbook stands, by its ARN; undefined for one that is not known any more. */
  statusOf(execution: string): Promise<string | undefined>;
}

interface KnownNodes {
  readonly tags: NodeTags;
  readonly controlPlane: readonly RegisteredNode[];
  readonly drill: readonly RegisteredNode[];
}

/**
 * @throws RestoreRefused naming the node, the tag or the restore that does not fit
 * @throws NodesUnreachable when Systems Manager does not answer
 * @throws StoreFailed, and the error of Step Functions, when it cannot be told what is to be undone
 */
export async function findNodes(
  edges: FindNodesEdges,
  tags: NodeTags,
  request: RestoreRequest,
  { execution, arn }: Pick<FindNodesEvent, 'execution' | 'arn'>,
): Promise<FoundNodes> {
  const [controlPlane, drill] = await Promise.all([edges.registered(tags.controlPlane), edges.registered(tags.drill)]);
  const known = { tags, controlPlane, drill };
  const both = controlPlane.filter(hasId(drill.map(({ instanceId }) => instanceId)));
  if (both.length > 0) {
    throw new RestoreRefused(
      `${idsOf(both)} carries ${tagText(tags.controlPlane)} and ${tagText(tags.drill)}: a drill would stop what serves, take one of the tags away`,
    );
  }
  return request.rollBack === undefined ? toRestore(known, request, execution) : toUndo(edges, known, request, request.rollBack, arn);
}

function toRestore(known: KnownNodes, request: RestoreRequest, restoreId: string): FoundNodes {
  const { tags, controlPlane, drill } = known;
  const mode = modeOf(request, controlPlane, drill, tags);
  const wanted = request.nodes ?? (mode === 'drill' ? drill : controlPlane).map(({ instanceId }) => instanceId);
  refuseStrangers(known, wanted);
  if (wanted.length === 0) {
    const tag = tagText(mode === 'drill' ? tags.drill : tags.controlPlane);
    throw new RestoreRefused(
      `systems manager knows no node with the tag ${tag}: tag the instances, and see that the SSM agent runs on them`,
    );
  }
  const nodes = [...controlPlane, ...drill].filter(hasId(wanted)).map(nameOf);
  const others = mode === 'in-place' ? controlPlane.filter(({ instanceId }) => !wanted.includes(instanceId)).map(nameOf) : [];
  const lock = controlPlane.some(hasId(wanted)) ? 'control-plane' : 'drill';
  return { request, restoreId, mode, lock, nodes, asked: [...nodes, ...others] };
}

/**
 * A node that is gone stays among them: its document cannot be delivered, which the report says by its name, and should it come back it would
 * still hold the restored data.
 */
async function toUndo(
  edges: FindNodesEdges,
  known: KnownNodes,
  request: RestoreRequest,
  restoreId: string,
  ownArn: string,
): Promise<FoundNodes> {
  const arn = `${ownArn.slice(0, ownArn.lastIndexOf(':') + 1)}${restoreId}`;
  const [status, plan, report] = await Promise.all([
    edges.statusOf(arn),
    edges.readNote(restoreId, 'plan.json'),
    edges.readNote(restoreId, 'report.json'),
  ]);
  const target = rollBackTarget({ restoreId, arn, status, plan, report });
  const all = target.nodes.map(({ instanceId }) => instanceId);
  const wanted = request.nodes ?? all;
  const others = wanted.filter((id) => !all.includes(id));
  if (others.length > 0) {
    throw new RestoreRefused(`${others.join(', ')} is no node of restore ${restoreId}, which worked on ${all.join(', ')}: leave nodes out`);
  }
  if (request.nodes !== undefined) refuseStrangers(known, request.nodes);
  if (![...known.controlPlane, ...known.drill].some(hasId(wanted))) {
    throw new RestoreRefused(`systems manager knows none of ${wanted.join(', ')} any more: start the instances and their SSM agents`);
  }
  const lock = target.mode === 'in-place' || known.controlPlane.some(hasId(wanted)) ? 'control-plane' : 'drill';
  const nodes = target.nodes.filter(hasId(wanted));
  return { request, restoreId, mode: 'roll-back', lock, nodes, asked: nodes };
}

function refuseStrangers({ tags, controlPlane, drill }: KnownNodes, wanted: readonly string[]): void {
  const strangers = wanted.filter((id) => ![...controlPlane, ...drill].some(({ instanceId }) => instanceId === id));
  if (strangers.length === 0) return;
  throw new RestoreRefused(
    `${strangers.join(', ')} carries neither ${tagText(tags.controlPlane)} nor ${tagText(tags.drill)}, or its agent never registered: give the instance one of these tags, and see that the SSM agent runs on it`,
  );
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

const hasId =
  (ids: readonly string[]) =>
  ({ instanceId }: RunbookNode): boolean =>
    ids.includes(instanceId);
const idsOf = (nodes: readonly RunbookNode[]): string => nodes.map(({ instanceId }) => instanceId).join(', ');
const nameOf = ({ instanceId, host }: RegisteredNode): RunbookNode => ({ instanceId, host });
const tagText = ({ key, value }: NodeTags['controlPlane']): string => `${key}=${value}`;

/** @throws RestoreRefused naming every field that does not fit */
export const parseRequest = (input: unknown): RestoreRequest => parseInput(RestoreRequest, input, RestoreRefused);
