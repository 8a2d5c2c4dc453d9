// What is to be done on a node of the model in each state of a rotation, piece by piece.
import { restartsIn, restartsOn, startersIn } from '../../lambdas/authorities/restarts';
import type { Component } from '../../lambdas/authorities/restarts';
import { READS, leader, pass, renewKubelet, settle, start } from './cluster-model';
import type { ModelNode } from './cluster-model';
import { issued, noteTrust, trustIds } from './rotation-run';
import type { Run } from './rotation-run';

/** @param omitted which of the tasks is forgotten. @default - none */
export function work(state: Run, node: ModelNode, omitted?: number): void {
  const tasks = tasksOn(state, node);
  tasks.forEach((task, at) => {
    if (omitted === undefined || at !== omitted % tasks.length) task();
  });
}

/** All that is to be done on a node in the state, in its order. */
export function tasksOn(state: Run, node: ModelNode): readonly (() => void)[] {
  const { world } = state;
  const components = [...node.disk.files.keys()];
  return [
    ...components.map((component) => () => writeTrust(state, node, component)),
    ...components.map((component) => () => writeLeaf(state, node, component)),
    ...components.map((component) => () => settle(world, node, component)),
    () => pass(world, 1),
    ...restartsOf(state, node).map((component) => () => startIfOlder(state, node, component)),
    () => {
      if (components.includes('controller-manager')) node.disk.signer = state.document.issuing;
    },
    () => {
      if (world.authority === 'cluster' && node.disk.kubelet.issuer !== leader(world).disk.signer) renewKubelet(world, node);
    },
  ];
}

function writeTrust(state: Run, node: ModelNode, component: Component): void {
  const { authority, now } = state.world;
  const files = node.disk.files.get(component)!;
  // The first place distrusts by what it can take back at once; etcd cannot.
  const first = node.name === state.canary && (READS[authority][component]!.trust === 'lag' || authority === 'etcd');
  const trust = trustIds(state, first);
  if (trust.join() === files.trust.join()) return;
  Object.assign(files, { trust, at: now });
  noteTrust(state, node);
}

function writeLeaf(state: Run, node: ModelNode, component: Component): void {
  const { now } = state.world;
  const files = node.disk.files.get(component)!;
  const leaf = issued(state);
  if (leaf.issuer !== files.leaf.issuer || leaf.crossed !== files.leaf.crossed) Object.assign(files, { leaf, at: now, leafAt: now });
}

function restartsOf({ document: { rotation }, world: { authority }, canary }: Run, { name, disk, stale }: ModelNode): readonly Component[] {
  const components = [...disk.files.keys()];
  const goesOn = rotation !== undefined && rotation.abortRequested === undefined;
  const needed = goesOn
    ? [...restartsIn(authority, rotation.mode, rotation.state), ...startersIn(authority, rotation.mode, rotation.state)]
    : [];
  const named = restartsOn(needed, name === canary).map(({ component }) => component);
  // On the way back, and for whoever came back from an old disk, all that reads its files at its start.
  const all = !goesOn || stale;
  return components.filter((component) => named.includes(component) || (all && READS[authority][component]!.trust === 'start'));
}

function startIfOlder({ world }: Run, node: ModelNode, component: Component): void {
  if (node.processes.get(component)!.startedAt <= node.disk.files.get(component)!.at) start(world, node, component);
}
