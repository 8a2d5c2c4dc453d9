import { z } from 'zod';
import { AdoptionPlan, nodeSecretName } from '../contract/certificates';
import type { RunbookNode } from '../contract/restore';

export const EnrolEvent = z.object({ do: z.literal('enrol'), plan: AdoptionPlan });

/** Where the certificates of nodes lie, seen by whoever adopts them. */
export interface NodeEnrolment {
  /** The names of the secrets that are there. */
  readonly existing: (names: readonly string[]) => Promise<ReadonlySet<string>>;
  /**
   * Makes the secret of a node, without a value, that only the node itself and the functions may read, and has it rotated from then on.
   *
   * @throws StoreFailed
   */
  readonly create: (name: string, node: RunbookNode) => Promise<void>;
}

/**
 * Gives each node that has none a secret of its own. What is there stays, with its schedule. Where every authority is external there is nothing to
 * rotate: nobody here could sign.
 */
export async function enrolNodes(
  { existing, create }: NodeEnrolment,
  cluster: string,
  { nodes, authorities }: AdoptionPlan,
): Promise<{ readonly enrolled: readonly string[] }> {
  if (authorities.every(({ key }) => key === 'external')) return { enrolled: [] };
  const named = nodes.map(({ instanceId, host }) => ({ node: { instanceId, host }, name: nodeSecretName(cluster, instanceId) }));
  const there = await existing(named.map(({ name }) => name));
  const missing = named.filter(({ name }) => !there.has(name));
  for (const { name, node } of missing) await create(name, node);
  return { enrolled: missing.map(({ node }) => node.host) };
}
