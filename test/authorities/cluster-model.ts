// A small cluster by the rules that were measured: who reads which file when, who must talk to whom, and what makes them refuse each other.
import type { Component } from '../../lambdas/authorities/restarts';
import type { AuthorityName, LeafName } from '../../lambdas/contract/certificate-names';

export type Id = string;
/** A leaf as it is sent: who signed it, and whether the cross certificate follows. */
export interface Chain {
  readonly issuer: Id;
  readonly crossed: boolean;
}

/** `lag`: while it runs, but not at once. `handshake`: from the file at every connection. `own`: the kubelet renews it by itself. */
interface Reads {
  readonly trust: 'lag' | 'start';
  readonly leaf: 'lag' | 'start' | 'handshake' | 'own';
  readonly leaves: readonly LeafName[];
}

export const READS: Readonly<Record<AuthorityName, Readonly<Partial<Record<Component, Reads>>>>> = {
  cluster: {
    apiserver: { trust: 'lag', leaf: 'lag', leaves: ['apiserver', 'apiserver-kubelet-client'] },
    'controller-manager': { trust: 'start', leaf: 'start', leaves: ['controller-manager.conf'] },
    scheduler: { trust: 'start', leaf: 'start', leaves: ['scheduler.conf'] },
    // Its trust for clients lives on before Kubernetes 1.36 too, and so does its kubeconfig.
    kubelet: { trust: 'start', leaf: 'own', leaves: ['kubelet.conf'] },
  },
  etcd: {
    etcd: { trust: 'start', leaf: 'handshake', leaves: ['etcd/server', 'etcd/peer'] },
    apiserver: { trust: 'start', leaf: 'handshake', leaves: ['apiserver-etcd-client'] },
  },
  'front-proxy': { apiserver: { trust: 'lag', leaf: 'lag', leaves: ['front-proxy-client'] } },
};
export const componentsOf = (authority: AuthorityName, plane: boolean): Component[] =>
  (Object.keys(READS[authority]) as Component[]).filter((component) => plane || component === 'kubelet');

export interface Files {
  trust: readonly Id[];
  leaf: Chain;
  /** Seconds. */
  at: number;
  leafAt: number;
}
export interface Process {
  trust: readonly Id[];
  leaf: Chain;
  startedAt: number;
  /** What the apiserver shows to kubelets and extensions: up to 128 s behind its file. */
  asClient: Chain;
}
export interface Disk {
  readonly files: Map<Component, Files>;
  kubelet: Chain;
  signer: Id;
  oldDroppedAt?: number;
  bothSince?: number;
}
export interface ModelNode {
  readonly name: string;
  readonly plane: boolean;
  lost: boolean;
  /** It, or who signed for it, came back from an old disk, and no gate was passed since. */
  stale: boolean;
  disk: Disk;
  readonly processes: Map<Component, Process>;
  readonly images: Disk[];
}

/** What the controller-manager publishes for pods in etcd, from where a restore brings back what was there before. Ids of roots. */
export interface Published {
  readonly trust: readonly Id[];
  /** Seconds. */
  readonly since: number;
}

/** Somebody outside of the nodes. `ghost`: nobody knows of it, and it takes what is new each hour; the others take it when they are told. */
export interface Client {
  readonly name: string;
  readonly kind: 'person' | 'pod' | 'ghost';
  trust: readonly Id[];
  leaf: Chain;
  takenAt: number;
}

export interface World {
  readonly authority: AuthorityName;
  readonly old: Id;
  readonly next: Id;
  /** Whether nobody accepts the cross certificate, as with a defect in it. */
  readonly crossBroken: boolean;
  now: number;
  nodes: ModelNode[];
  readonly clients: Client[];
  published: Published;
  /** Of what was published, as snapshots keep it. */
  readonly snapshots: Published[];
}

export const copyOf = ({ files, ...disk }: Disk): Disk => ({
  ...disk,
  files: new Map([...files].map(([key, value]) => [key, { ...value }])),
});

/** The rule of X.509, and nothing else: a trusted root signed the leaf, or signed who signed it. */
export const accepts = ({ old, next, crossBroken }: World, trust: readonly Id[], { issuer, crossed }: Chain): boolean =>
  trust.includes(issuer) || (issuer === next && crossed && !crossBroken && trust.includes(old));

export const leafOf = ({ authority }: World, node: ModelNode, component: Component): Chain => {
  const how = READS[authority][component]!.leaf;
  if (how === 'own') return node.disk.kubelet;
  return how === 'handshake' ? node.disk.files.get(component)!.leaf : node.processes.get(component)!.leaf;
};

export function start(world: World, node: ModelNode, component: Component): void {
  const { trust, leaf } = node.disk.files.get(component)!;
  node.processes.set(component, { trust, leaf, startedAt: world.now, asClient: leaf });
}

/** What runs takes what it takes while it runs. */
export function settle(world: World, node: ModelNode, component: Component): void {
  const process = node.processes.get(component)!;
  const reads = READS[world.authority][component]!;
  const files = node.disk.files.get(component)!;
  if (reads.trust === 'lag') process.trust = files.trust;
  if (reads.leaf === 'lag') process.leaf = files.leaf;
}

/** Seconds after which the controller-manager has published what it was started with; 17 were measured. */
const PUBLISHES = 20;

export function pass(world: World, seconds: number): void {
  world.now += seconds;
  if (seconds >= PUBLISHES) publish(world);
  for (const node of up(world))
    for (const [component, process] of node.processes) {
      const files = node.disk.files.get(component)!;
      if (world.now - files.leafAt > 128) process.asClient = files.leaf;
    }
}

export const up = ({ nodes }: World): ModelNode[] => nodes.filter(({ lost }) => !lost);
export const planes = (world: World): ModelNode[] => up(world).filter(({ plane }) => plane);
/** The controller-manager that leads: it signs for kubelets and publishes its root. */
export const leader = (world: World): ModelNode => planes(world)[0]!;

function publish(world: World): void {
  const { trust } = world.authority === 'cluster' ? leader(world).processes.get('controller-manager')! : world.published;
  if (trust.join() !== world.published.trust.join()) world.published = { trust, since: world.now };
}

/** A restore of etcd takes all members, and brings back what was published when the snapshot was taken. */
export function restoreData(world: World, pick: number): void {
  const snapshot = world.snapshots[pick % Math.max(world.snapshots.length, 1)];
  if (snapshot !== undefined) world.published = { ...snapshot, since: world.now };
}

export function renewKubelet(world: World, node: ModelNode): void {
  const by = leader(world);
  node.disk.kubelet = { issuer: by.disk.signer, crossed: false };
  if (by.stale) node.stale = true;
}

export interface Link {
  readonly what: string;
  readonly ends: readonly ModelNode[];
  readonly works: boolean;
}

/** Everybody who must talk, each by a fresh connection. @param clients whether those outside of the nodes count */
export function linksIn(world: World, clients: boolean): Link[] {
  const { authority } = world;
  const mutual = (from: [ModelNode, Component], to: [ModelNode, Component]): Link => ({
    what: `${from[1]} of ${from[0].name} to ${to[1]} of ${to[0].name}`,
    ends: [from[0], to[0]],
    works:
      accepts(world, from[0].processes.get(from[1])!.trust, leafOf(world, ...to)) &&
      accepts(world, to[0].processes.get(to[1])!.trust, leafOf(world, ...from)),
  });
  const outside = (component: Component): Link[] =>
    (clients ? world.clients : []).flatMap((client) =>
      planes(world).map((node) => ({
        what: `${client.name} to ${component} of ${node.name}`,
        ends: [node],
        works:
          accepts(world, client.trust, leafOf(world, node, component)) &&
          // Pods have tokens.
          (client.kind === 'pod' || accepts(world, node.processes.get(component)!.trust, client.leaf)),
      })),
    );
  const between = (component: Component): Link[] =>
    planes(world).flatMap((a) => planes(world).flatMap((b) => (a === b ? [] : [mutual([a, component], [b, component])])));
  switch (authority) {
    case 'cluster':
      return [
        ...up(world).flatMap((node) =>
          [...node.processes.keys()]
            .filter((component) => component !== 'apiserver')
            .flatMap((component) => planes(world).map((plane) => mutual([node, component], [plane, 'apiserver']))),
        ),
        ...planes(world).flatMap((plane) =>
          up(world).map((node) => ({
            what: `apiserver of ${plane.name} to kubelet of ${node.name}`,
            ends: [plane, node],
            works: accepts(world, node.processes.get('kubelet')!.trust, plane.processes.get('apiserver')!.asClient),
          })),
        ),
        ...outside('apiserver'),
      ];
    case 'etcd':
      return [
        ...between('etcd'),
        ...planes(world).flatMap((a) => planes(world).map((b) => mutual([a, 'apiserver'], [b, 'etcd']))),
        ...outside('etcd'),
      ];
    case 'front-proxy':
      return planes(world).flatMap((a) =>
        planes(world).map((b) => ({
          what: `front proxy of ${a.name} to ${b.name}`,
          ends: [a, b],
          works: accepts(world, b.processes.get('apiserver')!.trust, a.processes.get('apiserver')!.asClient),
        })),
      );
  }
}
