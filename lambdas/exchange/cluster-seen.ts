// What is seen of a cluster whatever is exchanged in it.
import type { ClusterSeen } from '../authorities/common-checks';
import type { Expected } from '../authorities/observation';
import type { ToldNode } from '../certificates/told-node';
import { MOST_UNREADY } from '../contract/authority-rotation';
import type { AuthorityRotation } from '../contract/authority-rotation';
import type { LeafName } from '../contract/certificate-names';
import type { ClusterLook, EtcdLook, PortLook } from '../contract/exchange-looks';
import { componentsOf } from './rotation-facts-of';

export interface Looks {
  readonly ports: readonly PortLook[];
  readonly cluster: ClusterLook | undefined;
  readonly etcd: EtcdLook | undefined;
}

/** Who told of his files, and who was asked and did not: of that one nothing is known, and it is missed. */
export interface HeardNow {
  readonly told: readonly ToldNode[];
  readonly silent: readonly { readonly host: string }[];
}

/** How a cluster was when something began. */
export type Before = NonNullable<AuthorityRotation['before']>;

/** What looks beside the cluster showed, as gates are judged by it. */
export const clusterSeen = ({ ports, cluster, etcd }: Looks): Pick<ClusterSeen, 'etcd' | 'unready' | 'readyz'> => ({
  ...(etcd && { etcd }),
  ...(cluster && { unready: unreadyIn(cluster) }),
  readyz: ports.flatMap(({ place, ready }) => (ready === undefined ? [] : [{ place, ok: ready }])),
});

/** How a cluster is now, to be noted with what begins. @param leaves those of a node that are to be missed when they are gone */
export const beforeOf = (cluster: ClusterLook, told: readonly ToldNode[], leaves: (node: ToldNode) => LeafName[]): Before => {
  const unready = unreadyIn(cluster);
  return {
    ...(unready.length <= MOST_UNREADY && { unready }),
    nodes: told.map((node) => ({ name: node.host, runs: componentsOf(node), leaves: leaves(node) })),
  };
};

/** What is to be there: what has died since then does not tell of itself, and one that joined since is known by its own word alone. */
export function expectedNodes(
  { nodes = [] }: Before,
  { told, silent }: HeardNow,
  leaves: (node: ToldNode) => LeafName[] = () => [],
): Expected['nodes'] {
  const seen = [
    ...told.map((node) => ({ name: node.host, runs: componentsOf(node), leaves: leaves(node) })),
    ...silent.map(({ host }) => ({ name: host, runs: [], leaves: [] })),
  ];
  return seen.map((now) => {
    const then = nodes.find(({ name }) => name === now.name);
    return { name: now.name, runs: union(then?.runs, now.runs), leaves: union(then?.leaves, now.leaves) };
  });
}

/** When a file of a node was written last, by its name; undefined for one that it did not tell of. */
export const writtenAt =
  ({ facts }: Pick<ToldNode, 'facts'>) =>
  (name: string): Date | undefined => {
    const written: Readonly<Record<string, number | undefined>> = facts.written;
    const seconds = written[name];
    return seconds === undefined ? undefined : new Date(seconds * 1_000);
  };

const unreadyIn = ({ nodes }: ClusterLook): string[] => nodes.filter(({ ready }) => !ready).map(({ name }) => name);

const union = <T>(one: readonly T[] = [], other: readonly T[]): T[] => [...new Set([...one, ...other])];
