import type { RotationState } from '../contract/authority-rotation';
import type { LeafName } from '../contract/certificate-names';
import { shortSigner } from '../contract/short-id';
import { COMMON_CHECKS, eachNode, startedSince } from './common-checks';
import { byApproval } from './faults';
import type { Faults } from './faults';
import type { GateName } from './gate-names';
import { goesFirst, portsOf } from './observation';
import type { Observation, PortSeen } from './observation';
import { restartsOn, startersIn } from './restarts';
import { nobodyRefused } from './rejections';
import { KUBELET_CLIENT_SECONDS } from './rotation-facts';

export type Check = (observation: Observation, state: RotationState) => Faults;

type ExpectedPort = ReturnType<typeof portsOf>[number];

/** One judgement for each port that is expected, and for each of the others that was seen all the same. */
export function eachPort(
  observation: Observation,
  judge: (seen: PortSeen, port: Omit<ExpectedPort, 'place' | 'component'>) => Faults,
): Faults {
  const { ports } = observation;
  if (ports === undefined) return ['nothing is known of the ports: look at them'];
  const wanted = portsOf(observation);
  const missed = wanted.flatMap((port) => {
    const seen = ports.find(({ place, component }) => place === port.place && component === port.component);
    return seen === undefined ? [`${port.name} was not seen: look at it by a fresh connection`] : judge(seen, port);
  });
  const others = ports.filter(({ place, component }) => !wanted.some((port) => port.place === place && port.component === component));
  return [...missed, ...others.flatMap((seen) => judge(seen, { serves: false, name: `${seen.component} of ${seen.place}` }))];
}

/** Both modes issue bare leaves or leaves with the cross certificate, and nothing between. */
const carriesCross = ({ rotation: { next, crossDropped = false } }: Observation, chain: readonly string[]): boolean =>
  next.cross === undefined || crossDropped || chain.includes(next.cross);

const crossGone: Check = (observation) => {
  const { cross } = observation.rotation.next;
  const has = (chain: readonly string[]): boolean => cross !== undefined && chain.includes(cross);
  return [
    ...eachNode(observation, ({ leaves }, { name }) =>
      leaves.filter(({ chain }) => has(chain)).map(({ leaf }) => `${leaf} of ${name} still has the cross certificate`),
    ),
    ...eachPort(observation, ({ chain }, { name, serves }) => (serves && has(chain) ? [`${name} still serves the cross certificate`] : [])),
  ];
};

const trustLoaded: Check = (observation, state) => {
  const { mode, next } = observation.rotation;
  return eachPort(observation, ({ component, acceptable }, { name }) =>
    // Before Kubernetes 1.36 a kubelet takes a root at its start alone, which comes later; until then it accepts the cross certificate.
    (component === 'kubelet' && state !== 'SOAKING' && mode === 'planned') || acceptable?.includes(next.name) === true
      ? []
      : [`${name} does not list ${next.name} among those that it accepts`],
  );
};

const published: Check = ({ published: found, rotation: { old, next } }, state) => {
  if (found === undefined || found.length === 0) return ['nothing is known of kube-root-ca.crt: read it from every namespace'];
  return found.flatMap(({ namespace, generations }) => [
    ...(generations.includes(next.id) ? [] : [`kube-root-ca.crt of ${namespace} does not have ${shortSigner(next.id)}`]),
    ...(state === 'DISTRUSTED' && generations.includes(old.id)
      ? [`kube-root-ca.crt of ${namespace} still has ${shortSigner(old.id)}`]
      : []),
  ]);
};

const restarted: Check = (observation, state) => {
  const { authority, mode, canary } = observation.rotation;
  return eachNode(observation, ({ processes }, { name, runs }) =>
    restartsOn(startersIn(authority, mode, state), name === canary)
      .filter(({ component }) => runs.includes(component))
      .flatMap(({ component, because }) => startedSince(name, processes, component, { files: 'files', because })),
  );
};

const leavesWritten: Check = (observation) => {
  const { next } = observation.rotation;
  return eachNode(observation, ({ leaves }, node) =>
    node.leaves
      // The kubelet renews its own, by the signer of the cluster.
      .filter((leaf) => leaf !== 'kubelet.conf')
      .flatMap((leaf) => {
        const found = leaves.find((each) => each.leaf === leaf);
        if (found === undefined) return [`${node.name} did not tell of ${leaf}`];
        if (found.issuer !== next.id) return [`${leaf} of ${node.name} is by ${shortSigner(found.issuer)}`];
        return carriesCross(observation, found.chain) ? [] : [`${leaf} of ${node.name} lacks the cross certificate`];
      }),
  );
};

const leavesServed: Check = (observation) => {
  const { next } = observation.rotation;
  return eachPort(observation, ({ issuer, chain }, { serves, name }) => {
    if (!serves) return [];
    if (issuer !== next.id) return [`${name} serves a leaf by ${shortSigner(issuer)}`];
    return carriesCross(observation, chain) ? [] : [`${name} serves its leaf without the cross certificate`];
  });
};

/** What the apiserver shows as a client, to kubelets and to the servers that extend it; nobody sees from outside which one it uses. */
const CLIENTS: readonly LeafName[] = ['apiserver-kubelet-client', 'front-proxy-client'];

export const clientsUsed: Check = (observation) =>
  eachNode(observation, ({ leaves }, node) =>
    node.leaves
      .filter((leaf) => CLIENTS.includes(leaf))
      .flatMap((leaf) => {
        const { writtenAt } = leaves.find((each) => each.leaf === leaf) ?? {};
        if (writtenAt === undefined) return [`it is not known when ${leaf} of ${node.name} was written`];
        const since = (observation.at.getTime() - writtenAt.getTime()) / 1_000;
        return since > KUBELET_CLIENT_SECONDS
          ? []
          : [`the apiserver of ${node.name} has ${leaf} since ${since} s, and may take ${KUBELET_CLIENT_SECONDS} s to use it`];
      }),
  );

const canaryDistrusts: Check = (observation) => {
  const { authority, canary, old, next } = observation.rotation;
  if (!observation.expected.nodes.some(({ name }) => name === canary)) return [`${canary}, which distrusts first, is no node any more`];
  return eachPort(observation, ({ place, component, acceptable = [] }, { name }) => {
    // It reads the file of the apiserver beside it: since Kubernetes 1.36 while it runs, and before at its start.
    const either = place === canary && component === 'kubelet';
    const first = goesFirst(observation.rotation, { place, component });
    const lists = acceptable.includes(old.name);
    return [
      // As one that came back from an old disk. A member of etcd takes no root before it is its turn.
      ...((first || authority !== 'etcd') && !acceptable.includes(next.name) ? [`${name} does not list ${next.name}`] : []),
      ...(!either && first && lists ? [`${name} still lists ${old.name}`] : []),
      ...(!either && !first && !lists ? [`${name} does not list ${old.name} already, and only ${canary} is to be without`] : []),
    ];
  });
};

const oldGone: Check = (observation) => {
  const { old, next } = observation.rotation;
  return eachPort(observation, ({ issuer, acceptable }, { name, serves }) => [
    ...(acceptable?.includes(next.name) === true ? [] : [`${name} does not list ${next.name}`]),
    ...(acceptable?.includes(old.name) === true ? [`${name} still lists ${old.name}`] : []),
    ...(serves && issuer !== next.id ? [`${name} serves a leaf by ${shortSigner(issuer)}`] : []),
  ]);
};

/** What each gate looks at. */
export const CHECKS: Readonly<Record<GateName, Check>> = {
  ...COMMON_CHECKS,
  'path-matrix': ({ pathMatrix }) =>
    pathMatrix === undefined ? ['no chain was tried against those who will see it'] : pathMatrix.failing.map((cell) => `refused: ${cell}`),
  'trust-files': (observation) =>
    eachNode(observation, ({ bundles, name }) => {
      const others = bundles.filter((bundle) => bundle !== observation.expected.bundle);
      if (bundles.length === 0) return [`${name} told of no file of trusted roots`];
      return others.length === 0 ? [] : [`${name} has other trusted roots than it was given: ${others.map(shortSigner).join(', ')}`];
    }),
  'trust-loaded': trustLoaded,
  'root-published': published,
  restarted,
  'leaves-written': leavesWritten,
  'leaves-served': leavesServed,
  'clients-used': clientsUsed,
  'signer-switched': (observation) =>
    eachNode(observation, ({ signer }, { name, runs }) =>
      !runs.includes('controller-manager') || signer === observation.rotation.next.id
        ? []
        : [`the controller-manager of ${name} signs by ${shortSigner(signer)}`],
    ),
  'kubelets-renewed': (observation) =>
    eachNode(observation, ({ kubeletIssuer }, { name, runs }) =>
      !runs.includes('kubelet') || kubeletIssuer === observation.rotation.next.id
        ? []
        : [`the kubelet of ${name} uses a certificate by ${shortSigner(kubeletIssuer)}`],
    ),
  'places-handled': ({ hidden }) =>
    hidden === undefined
      ? ['it is not known where else the old root is']
      : hidden.flatMap(({ place, handled, approvable = false, because = `${place} has the old root` }): Faults => {
          if (handled) return [];
          return approvable
            ? [byApproval(`${because}: see to it, and say so by approving`)]
            : [`${place} has the old root alone: have whoever made it give it both`];
        }),
  approved: ({ approvedBy }) => (approvedBy === undefined ? [byApproval('nobody approved that the old root is distrusted')] : []),
  'canary-distrusts': canaryDistrusts,
  'old-gone': oldGone,
  'nobody-refused': nobodyRefused,
  'cross-gone': crossGone,
};
