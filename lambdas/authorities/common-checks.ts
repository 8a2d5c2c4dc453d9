// What is proven the same way whatever is exchanged.
import { byTime } from './faults';
import type { Faults } from './faults';
import type { Component } from './restarts';

interface Named {
  readonly name: string;
}

/** When a component was started, and when the last file was changed that it keeps in its memory. */
export interface ProcessSeen {
  readonly component: Component;
  readonly startedAt: Date;
  readonly filesAt?: Date;
}

/** What is known of a cluster in one round; what is missing was not looked at, or did not answer, and proves nothing. */
export interface ClusterSeen {
  readonly at: Date;
  readonly expected: {
    readonly nodes: readonly (Named & { readonly runs: readonly Component[] })[];
    /** Nodes that were not Ready when it began already; missing where nobody noted them, and then nobody is missed. */
    readonly unready?: readonly string[];
  };
  readonly nodes?: readonly (Named & { readonly runs: readonly Component[] })[];
  /** `activePeersOk`: etcd_network_active_peers is the number of the others at every member, which loses one that is refused. */
  readonly etcd?: { readonly voters: number; readonly learners: number; readonly activePeersOk: boolean };
  /** Nodes of the cluster, workers too, that are not Ready. */
  readonly unready?: readonly string[];
  /** What each apiserver answers to /readyz, asked by itself and not by a balancer. */
  readonly readyz?: readonly { readonly place: string; readonly ok: boolean }[];
  readonly soakUntil?: Date;
}

/** One judgement for each node that is expected; one that did not tell is a fault of its own. */
export const eachNode = <Seen extends Named, Expected extends Named>(
  { nodes, expected }: { readonly nodes?: readonly Seen[]; readonly expected: { readonly nodes: readonly Expected[] } },
  judge: (seen: Seen, node: Expected) => Faults,
): Faults =>
  nodes === undefined
    ? ['nothing is known of the nodes: ask them']
    : expected.nodes.flatMap((node) => {
        const seen = nodes.find(({ name }) => name === node.name);
        return seen === undefined ? [`${node.name} did not tell: make it reachable, or take it out of the cluster`] : judge(seen, node);
      });

/** The nodes that are to have an API server. */
export const withApiServer = ({ expected }: Pick<ClusterSeen, 'expected'>): readonly Named[] =>
  expected.nodes.filter(({ runs }) => runs.includes('apiserver'));

/** Components that keep in memory what was written since their start. @param because what they read at their start alone */
export const startedSince = (
  name: string,
  processes: readonly ProcessSeen[],
  component: Component,
  { files, because }: { readonly files: string; readonly because: string },
): Faults => {
  const { startedAt, filesAt } = processes.find((each) => each.component === component) ?? {};
  if (startedAt === undefined || filesAt === undefined) return [`it is not known whether ${component} of ${name} was started anew`];
  return startedAt > filesAt ? [] : [`${component} of ${name} runs since before its ${files} were written: ${because}`];
};

const MOST_NODES = 10;

/** What each of these gates looks at. */
export const COMMON_CHECKS = {
  'nodes-told': (seen) => eachNode(seen, () => []),
  'all-running': (seen) =>
    eachNode(seen, ({ runs }, { name, runs: wanted }) =>
      wanted.filter((component) => !runs.includes(component)).map((component) => `${component} of ${name} does not run: start it`),
    ),
  // Which nodes there are may change, as autoscalers do it: one that is gone was taken away by somebody.
  'nodes-ready': ({ unready, expected }) => {
    if (unready === undefined) return ['it is not known which nodes are Ready'];
    const fallen = unready.filter((name) => expected.unready?.includes(name) === false);
    return [
      ...fallen
        .slice(0, MOST_NODES)
        .map((name) => `the node ${name} is not Ready: mend it, or take it out of the cluster (kubectl delete node)`),
      ...(fallen.length > MOST_NODES ? [`${fallen.length - MOST_NODES} more nodes are not Ready`] : []),
    ];
  },
  'apiservers-ready': (seen) =>
    withApiServer(seen).flatMap(({ name }) => {
      const answer = seen.readyz?.find(({ place }) => place === name);
      if (answer === undefined) return [`it is not known whether the apiserver of ${name} is ready`];
      return answer.ok ? [] : [`the apiserver of ${name} is not ready`];
    }),
  'etcd-well': ({ etcd, expected }) => {
    if (etcd === undefined) return ['nothing is known of etcd: ask every member'];
    const members = expected.nodes.filter(({ runs }) => runs.includes('etcd')).length;
    return [
      ...(etcd.voters >= members
        ? []
        : [
            `etcd has ${etcd.voters} voters, and ${members} nodes run a member, or did when it began: have the one that is missing join again`,
          ]),
      ...(etcd.learners === 0 ? [] : [`etcd has ${etcd.learners} learner(s): promote or remove them`]),
      ...(etcd.activePeersOk ? [] : ['a member of etcd has not all others as active peers']),
    ];
  },
  soaked: ({ soakUntil, at }) => {
    if (soakUntil === undefined) return ['it is not known how long to wait'];
    return at >= soakUntil ? [] : [byTime(`it is to wait until ${soakUntil.toISOString()}`)];
  },
} as const satisfies Readonly<Record<string, (seen: ClusterSeen) => Faults>>;
