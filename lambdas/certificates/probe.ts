import { z } from 'zod';
import type { NodeSetSecret } from '../contract/certificates';
import { NodeEnd } from '../contract/restore';

/** What is asked of the function beside the cluster: whether etcd can lose a member, or what the ports of a node serve. */
export const ProbeEvent = z.discriminatedUnion('do', [
  z.object({ do: z.literal('etcd'), member: z.object({ host: z.string(), port: z.number() }).optional() }),
  /** The same, as an error that a state machine waits by. */
  z.object({ do: z.literal('etcd-is-well') }),
  z.object({ do: z.literal('served'), facts: z.array(NodeEnd) }),
  z.object({ do: z.literal('ports'), secretId: z.string(), version: z.string(), former: z.string().optional() }),
]);
export type ProbeEvent = z.infer<typeof ProbeEvent>;

export const EtcdAnswer = z.object({ weak: z.string().nullable() });
export const PortsAnswer = z.object({ proven: z.boolean(), reached: z.boolean(), because: z.array(z.string()) });

/** Whether etcd can lose the member of the node to which a set belongs, or has lost it already. */
export function etcdQuestion({ ports }: NodeSetSecret): ProbeEvent {
  const own = ports.find(({ leaf }) => leaf === 'etcd/server');
  return { do: 'etcd', ...(own && { member: { host: own.host, port: own.port } }) };
}
