// What probes and nodes would tell of the model of a cluster.
import { portsOf } from '../../lambdas/authorities/observation';
import type { NodeSeen, Observation, PortSeen, Rotating } from '../../lambdas/authorities/observation';
import type { Component } from '../../lambdas/authorities/restarts';
import { LIMITS, waitIn } from '../../lambdas/authorities/rotation-facts';
import { NOW } from '../pki/pki-world';
import { READS, accepts, leafOf, linksIn, up } from './cluster-model';
import type { Chain, Client, ModelNode } from './cluster-model';
import { request } from './facts';
import { NEXT, OLD, trustIds } from './rotation-run';
import type { Run } from './rotation-run';

export const SOAK_SECONDS = 3_600;
const nameOf = (id: string): string => `CN=${id.slice(0, 8)}`;
const date = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1_000);
const told = (chain: Chain) => ({ issuer: chain.issuer, chain: chain.crossed ? ['X'] : [] });

/** What is seen of the ports, and nothing else. */
export function lookAtPorts(run: Run): Pick<Observation, 'rotation' | 'expected' | 'ports'> {
  const rotation = rotatingOf(run);
  const expected = expectedOf(run);
  const ports = portsOf({ rotation, expected }).flatMap(({ place, component }) => portSeen(run, place, component));
  return { rotation, expected, ports };
}

export function observe(run: Run): Observation {
  const { world, setting } = run;
  const seen = up(world);
  const { rotation, expected, ports } = lookAtPorts(run);
  const links = linksIn(world, false);
  const reaches = (node: ModelNode, to: string): boolean =>
    links.every(({ ends, what, works }) => works || ends[0] !== node || !what.includes(to));
  return {
    at: date(world.now),
    rotation,
    expected,
    ports,
    nodes: seen.map((node) => nodeSeen(run, node, expected.bundle)),
    published: [{ namespace: 'default', generations: world.published.trust }],
    etcd: { voters: world.nodes.filter(({ plane }) => plane).length, learners: 0, activePeersOk: seen.length === expected.nodes.length },
    unready: membersOf(run)
      .filter((node) => !seen.includes(node) || !reaches(node, 'to apiserver'))
      .map(({ name }) => name),
    readyz: seen.filter(({ plane }) => plane).map((node) => ({ place: node.name, ok: reaches(node, 'to etcd') })),
    pathMatrix: { failing: failingPaths(run) },
    soakUntil: date(
      run.stateSince + waitIn(run.document.rotation!.state, { ...request(world.authority), soakSeconds: SOAK_SECONDS }, LIMITS),
    ),
    approvedBy: 'ann',
    hidden: world.clients
      .filter(({ kind }) => kind !== 'ghost')
      .map((client) => ({ place: client.name, handled: setting.mode === 'compromise' || isHandled(run, client) })),
  };
}

function rotatingOf({ document, setting: { authority, mode }, canary }: Run): Rotating {
  const next = { id: NEXT, name: nameOf(NEXT), ...(mode === 'planned' && { cross: 'X' }) };
  const wasDistrusted = document.generations.some(({ distrustedAt }) => distrustedAt !== undefined);
  const crossDropped = document.rotation?.crossDroppedAt !== undefined;
  return { authority, mode, canary, old: { id: OLD, name: nameOf(OLD) }, next, crossDropped, wasDistrusted };
}

const membersOf = ({ world, setting }: Run): readonly ModelNode[] => (setting.without?.forgetsMissing === true ? up(world) : world.nodes);

function expectedOf(run: Run): Observation['expected'] {
  const { authority } = run.world;
  const nodes = membersOf(run).map(({ name, disk }) => {
    const runs = [...disk.files.keys()];
    return { name, runs, leaves: runs.flatMap((component) => READS[authority][component]!.leaves) };
  });
  return { nodes, unready: [], bundle: trustIds(run).join() };
}

function portSeen({ world }: Run, place: string, component: PortSeen['component']): readonly PortSeen[] {
  const node = up(world).find(({ name }) => name === place);
  if (node === undefined) return [];
  const of: Component = component === 'etcd-client' || component === 'etcd-peer' ? 'etcd' : component;
  return [{ place, component, ...told(leafOf(world, node, of)), acceptable: node.processes.get(of)!.trust.map(nameOf) }];
}

function nodeSeen({ world }: Run, { name, disk, processes }: ModelNode, bundle: string): NodeSeen {
  return {
    name,
    runs: [...processes.keys()],
    bundles: disk.files.size === 0 ? [bundle] : [...disk.files.values()].map(({ trust }) => trust.join()),
    leaves: [...disk.files].flatMap(([component, { leaf, leafAt }]) =>
      READS[world.authority][component]!.leaves.map((each) => ({
        leaf: each,
        ...told(each === 'kubelet.conf' ? disk.kubelet : leaf),
        writtenAt: date(leafAt),
      })),
    ),
    kubeletIssuer: disk.kubelet.issuer,
    signer: disk.signer,
    processes: [...processes].map(([component, { startedAt }]) => ({
      component,
      startedAt: date(startedAt),
      filesAt: date(disk.files.get(component)!.at),
    })),
    trust: {
      ...(disk.oldDroppedAt !== undefined && { oldDroppedAt: date(disk.oldDroppedAt) }),
      ...(disk.bothSince !== undefined && { bothSince: date(disk.bothSince) }),
    },
  };
}

/** A pod is seen to when it began after what it trusts was published, which a restore takes back. */
function isHandled({ document: { rotation }, issuingSince, world: { published } }: Run, { kind, trust, takenAt }: Client): boolean {
  if (rotation?.abortRequested !== undefined) return trust.includes(OLD);
  return kind === 'pod' ? takenAt > published.since : takenAt > issuingSince;
}

/** What would be served next, against what everybody trusts now. */
function failingPaths({ world, setting, document: { rotation } }: Run): string[] {
  if (setting.mode === 'compromise' || rotation?.state !== 'MINTED') return [];
  return up(world).flatMap(({ name, processes }) =>
    [...processes]
      .filter(([, { trust }]) => !accepts(world, trust, { issuer: NEXT, crossed: true }))
      .map(([component]) => `${component} of ${name}`),
  );
}
