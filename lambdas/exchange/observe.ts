import { createHash } from 'node:crypto';
import { approvedNames } from '../authorities/approval';
import type { Expected, NodeSeen, Observation, PortSeen, Rotating } from '../authorities/observation';
import type { Component } from '../authorities/restarts';
import { LIMITS, waitIn } from '../authorities/rotation-facts';
import { trustedIn } from '../authorities/trust';
import { servingPorts } from '../certificates/minted-set';
import type { ToldNode } from '../certificates/told-node';
import { AUTHORITY_FILES } from '../contract/certificate-names';
import type { AuthorityName, Exchangeable } from '../contract/certificate-names';
import type { AuthorityRotation, RotationMode } from '../contract/authority-rotation';
import type { AuthoritySecret, Generation } from '../contract/certificates';
import type { AskedPort, ClusterLook, PortLook } from '../contract/exchange-looks';
import { inspect } from '../pki/inspect';
import { clusterSeen, expectedNodes, writtenAt } from './cluster-seen';
import type { Before, HeardNow, Looks } from './cluster-seen';
import { failingPaths } from './failing-paths';
import { etcdLogOf, refusedSince } from './etcd-log-of';
import { unknownClients } from './unknown-clients';
import { componentsOf, issuerOf, leavesOf } from './rotation-facts-of';

/** The port of the kubelet where its config names no other, and kubeadm's never does. */
const KUBELET_PORT = 10_250;

/** The ports that show something of an authority, as others than the node itself reach them. */
export function portsToAsk(told: readonly ToldNode[], authority: Exchangeable): AskedPort[] {
  return told.flatMap((node) => {
    const place = node.host;
    const serving = servingPorts(node).flatMap(({ leaf, host, port }): AskedPort[] => {
      // Each API server is asked for its readiness whatever the authority.
      if (leaf === 'apiserver') return [{ place, component: 'apiserver', host, port }];
      if (authority !== 'etcd') return [];
      return [{ place, component: leaf === 'etcd/server' ? 'etcd-client' : 'etcd-peer', host, port }];
    });
    const host = node.facts.apiserver?.advertiseAddress ?? serving[0]?.host;
    const kubelet = authority === 'cluster' && host !== undefined && componentsOf(node).includes('kubelet');
    return kubelet ? [...serving, { place, component: 'kubelet', host, port: KUBELET_PORT }] : serving;
  });
}

/** Both generations of a rotation that is under way. */
export function pairOf(
  document: AuthoritySecret,
  { from, to }: AuthorityRotation,
): { readonly old: Generation; readonly next: Generation } {
  const find = (wanted: string): Generation => {
    const found = document.generations.find(({ id }) => id === wanted);
    if (found === undefined) throw new RangeError(`generation ${wanted} is not in the document`);
    return found;
  };
  return { old: find(from), next: find(to) };
}

/** Everything that was seen in one round, as gates are judged by it. */
export function observe(
  document: AuthoritySecret,
  rotation: AuthorityRotation,
  before: Before,
  heard: HeardNow,
  seen: Looks,
  at: Date,
): Observation {
  const { authority } = document;
  const { told } = heard;
  const { ports, cluster } = seen;
  const rotating = rotatingOf(document, rotation);
  const expected: Expected = {
    nodes: expectedNodes(before, heard, (node) => leavesOf(node, authority)),
    ...(before.unready && { unready: before.unready }),
    bundle: shaOf(trustedIn(document).bundle),
  };
  return {
    at,
    rotation: rotating,
    expected,
    ports: ports.flatMap((look) => portSeen(look, document)),
    nodes: told.map((node) => nodeSeen(node, document, rotation)),
    ...(cluster && { published: cluster.published.map(({ namespace, ids }) => ({ namespace, generations: ids })) }),
    ...clusterSeen(seen),
    pathMatrix: { failing: failingPaths({ document, rotation, ...pairOf(document, rotation) }, told, ports, at) },
    soakUntil: soakUntil(authority, rotation, givenAt(told, authority, rotation)),
    ...(rotation.approvedBy !== undefined && { approvedBy: rotation.approvedBy }),
    since: refusedSince(rotation),
    approvedNames: approvedNames(rotation),
    ...(cluster && { hidden: hiddenPlaces(cluster, told, rotating, rotation) }),
  };
}

/**
 * Until when the present state lasts at least.
 *
 * @param given when the last node was given what is tried in it
 */
export function soakUntil(
  authority: AuthorityName,
  { id, mode, state, stateSince, crossDroppedAt, soakSeconds, canarySeconds }: AuthorityRotation,
  given?: Date,
): Date {
  const asked = { id, authority, mode, ...(soakSeconds !== undefined && { soakSeconds }) };
  const seconds = waitIn(state, asked, { ...LIMITS, ...(canarySeconds !== undefined && { canarySeconds }) });
  const since = Math.max(new Date(crossDroppedAt ?? stateSince).getTime(), given?.getTime() ?? 0);
  return new Date(since + seconds * 1_000);
}

/** A node may get its set long after that was noted: who is refused is seen from then on. Undefined where nothing is tried. */
function givenAt(
  told: readonly ToldNode[],
  authority: AuthorityName,
  { state, canary, crossDroppedAt }: AuthorityRotation,
): Date | undefined {
  if (state === 'DISTRUST-CANARY') {
    const first = told.find(({ host }) => host === canary);
    return first && writtenAt(first)(AUTHORITY_FILES[authority]);
  }
  if (crossDroppedAt === undefined) return undefined;
  // A kubelet renews its certificate whenever it likes, and it never had the cross certificate.
  const given = told.flatMap((node) =>
    leavesOf(node, authority)
      .filter((leaf) => leaf !== 'kubelet.conf')
      .map((leaf) => writtenAt(node)(leaf)),
  );
  return given.reduce(latest, undefined);
}

function rotatingOf(document: AuthoritySecret, rotation: AuthorityRotation): Rotating {
  const { old, next } = pairOf(document, rotation);
  const shown = ({ id, certificate }: Generation) => ({ id, name: inspect(certificate).subject.text });
  return {
    authority: document.authority,
    mode: rotation.mode,
    canary: rotation.canary ?? '',
    old: shown(old),
    next: { ...shown(next), ...(next.cross !== undefined && { cross: inspect(next.cross).sha256 }) },
    crossDropped: rotation.crossDroppedAt !== undefined,
    wasDistrusted: rotation.abortRequested !== undefined && rotation.distrustBegan !== undefined,
  };
}

/** Of another authority a port shows nothing that is judged here: an API server is asked for etcd's too, but for its readiness alone. */
function portSeen({ place, component, chain, acceptable }: PortLook, document: AuthoritySecret): PortSeen[] {
  const [leaf, ...rest] = chain;
  const isEtcd = component === 'etcd-client' || component === 'etcd-peer';
  if (leaf === undefined || isEtcd !== (document.authority === 'etcd')) return [];
  return [{ place, component, issuer: issuerOf(leaf, document), chain: rest.map((pem) => inspect(pem).sha256), acceptable }];
}

function nodeSeen(node: ToldNode, document: AuthoritySecret, rotation: AuthorityRotation): NodeSeen {
  const { host, facts } = node;
  const { authority } = document;
  const trusted = node.authorities.get(authority);
  const kubelet = node.leaves.get('kubelet.conf');
  const time = writtenAt(node);
  const trustAt = time(AUTHORITY_FILES[authority]);
  const filesOf: Readonly<Record<string, Date | undefined>> = {
    apiserver: trustAt,
    etcd: trustAt,
    'controller-manager': latest(trustAt, time('controller-manager.conf')),
    scheduler: time('scheduler.conf'),
    kubelet: time('kubelet.conf'),
  };
  const { distrustBegan } = rotation;
  return {
    name: host,
    runs: facts.processes.map(({ component }) => component),
    bundles: trusted === undefined ? [] : [trusted === 'unparsable' ? 'unparsable' : shaOf(trusted.map(({ pem }) => pem).join(''))],
    leaves: leavesOf(node, authority).map((leaf) => {
      const read = node.leaves.get(leaf);
      const at = time(leaf);
      return {
        leaf,
        issuer: read === undefined || read === 'unparsable' ? undefined : issuerOf(read.pem, document),
        chain: (node.chains.get(leaf) ?? []).map((pem) => inspect(pem).sha256),
        ...(at && { writtenAt: at }),
      };
    }),
    ...(kubelet !== undefined && kubelet !== 'unparsable' && { kubeletIssuer: issuerOf(kubelet.pem, document) ?? 'a stranger' }),
    ...(facts.signer?.certSha256 != null && { signer: facts.signer.certSha256 }),
    processes: facts.processes.flatMap(({ component, startedAt }) => {
      const filesAt = filesOf[component];
      if (!keepsInMemory(authority, rotation.mode).includes(component)) return [];
      return [{ component, startedAt: new Date(startedAt * 1_000), ...(filesAt && { filesAt }) }];
    }),
    ...etcdLogOf(facts, refusedSince(rotation)),
    ...(trustAt && { trust: { bothSince: trustAt, ...(distrustBegan !== undefined && { oldDroppedAt: new Date(distrustBegan) }) } }),
  };
}

/** Who has to be started anew for what he trusts or is by this authority; all others take their files while they run. */
function keepsInMemory(authority: AuthorityName, mode: RotationMode): readonly Component[] {
  if (authority === 'etcd') return ['apiserver', 'etcd'];
  const held: readonly Component[] = authority === 'cluster' ? ['controller-manager', 'scheduler', 'kubelet'] : [];
  return mode === 'compromise' ? [...held, 'apiserver'] : held;
}

const latest = (one: Date | undefined, other: Date | undefined): Date | undefined =>
  one === undefined || (other !== undefined && other > one) ? other : one;

/**
 * Objects of the cluster in which somebody put the old root alone, on the way back the new one alone: whoever made them changes them. And kubelets of
 * which nobody tells, so that a person has to: by an approval, or by an abort.
 */
function hiddenPlaces(
  cluster: ClusterLook,
  told: readonly ToldNode[],
  { authority, old, next, wasDistrusted }: Rotating,
  rotation: AuthorityRotation,
) {
  const handled = rotation.approvedBy !== undefined || rotation.abortRequested !== undefined;
  const back = rotation.abortRequested !== undefined && wasDistrusted;
  const [gone, there] = back ? [next, old] : [old, next];
  const objects = cluster.bundles
    .filter(({ ids }) => ids.includes(gone.id) && !ids.includes(there.id))
    .map(({ place }) => ({ place, handled: false }));
  const untold = authority === 'cluster' ? untoldNodes(cluster, told) : [];
  const clients =
    authority === 'cluster' && rotation.mode === 'planned' && !back ? unknownClients(told, new Date(rotation.stateSince)) : [];
  return [
    ...objects,
    ...untold.map((name) => ({ place: untoldKubelet(name), handled, approvable: true })),
    ...clients.map((client) => ({ ...client, handled, approvable: true })),
  ];
}

/** As gates name it. */
export const untoldKubelet = (node: string): string => `the kubelet of ${node}, whose certificate nobody told of,`;

/** Nodes whose kubelets nobody told of: they trust, and are somebody by, what only a person can see to. */
export function untoldNodes({ nodes }: Pick<ClusterLook, 'nodes'>, told: readonly ToldNode[]): string[] {
  const known = new Set(told.map(({ facts }) => facts.nodeName));
  return nodes.map(({ name }) => name).filter((name) => !known.has(name));
}

const shaOf = (text: string): string => createHash('sha256').update(text).digest('hex');
