import { z } from 'zod';
import { PlannedAuthority, nodeSecretName } from '../contract/certificates';
import { RunbookNode } from '../contract/restore';

/** Of the plan of an adoption; or of an exchange, which finds nodes that joined since. */
const Enrolment = z.object({ nodes: z.array(RunbookNode), authorities: z.array(PlannedAuthority.pick({ key: true })) });
export const EnrolEvent = z.object({ do: z.literal('enrol'), plan: Enrolment });
/** The hosts whose secrets were made, or made anew what they are to be. */
export const EnrolAnswer = z.object({ enrolled: z.array(z.string()) });

/** Where the certificates of nodes lie, seen by whoever adopts them. */
export interface NodeEnrolment {
  /** The names of those that are there and have what they are to have, by the settings of now. */
  readonly existing: (names: readonly string[]) => Promise<ReadonlySet<string>>;
  /**
   * Makes the secret of a node, without a value, that only the node itself and the functions may read, and has it rotated from then on. One that is
   * there keeps what it holds, and gets what it lacks.
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
  { nodes, authorities }: z.infer<typeof Enrolment>,
): Promise<{ readonly enrolled: readonly string[] }> {
  if (authorities.every(({ key }) => key === 'external')) return { enrolled: [] };
  const named = nodes.map(({ instanceId, host }) => ({ node: { instanceId, host }, name: nodeSecretName(cluster, instanceId) }));
  const there = await existing(named.map(({ name }) => name));
  const missing = named.filter(({ name }) => !there.has(name));
  for (const { name, node } of missing) await create(name, node);
  return { enrolled: missing.map(({ node }) => node.host) };
}
