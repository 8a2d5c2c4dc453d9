// What may happen to the model of a cluster while an authority rotates, in any order.
import fc from 'fast-check';
import { requestAbort } from '../../lambdas/authorities/generations';
import type { Component } from '../../lambdas/authorities/restarts';
import { stateBefore } from '../../lambdas/authorities/rotation-path';
import { accepts, copyOf, leafOf, pass, planes, renewKubelet, restoreData, start, up } from './cluster-model';
import type { Client, ModelNode } from './cluster-model';
import { tasksOn, work } from './node-work';
import { step } from './pki';
import { move } from './rotation-judge';
import { SOAK_SECONDS } from './rotation-observation';
import { issued, newNode, trustIds } from './rotation-run';
import type { Run } from './rotation-run';

interface Scene {
  readonly state: Run;
  readonly node: ModelNode;
  /** Of its own files; missing where it has none of the authority. */
  readonly component: Component | undefined;
  /** Any number, for what else is to be chosen. */
  readonly pick: number;
}
interface Event {
  /** How often it comes, beside the others. */
  readonly weight: number;
  readonly act: (scene: Scene) => void;
}

const EVENTS = {
  'work on all': { weight: 8, act: ({ state }) => up(state.world).forEach((each) => work(state, each)) },
  /** All that is to be done but one thing on one node. */
  'work on all but one': {
    weight: 8,
    act: ({ state, node, pick }) => up(state.world).forEach((each) => work(state, each, each === node ? pick : undefined)),
  },
  'work on one': { weight: 5, act: ({ state, node }) => work(state, node) },
  'a part of the work': {
    weight: 6,
    act: ({ state, node, pick }) => {
      const tasks = tasksOn(state, node);
      tasks[pick % tasks.length]!();
    },
  },
  advance: { weight: 16, act: ({ state }) => move(state) },
  restart: {
    weight: 4,
    act: ({ state, node, component }) => {
      if (component !== undefined) start(state.world, node, component);
    },
  },
  'renewal of a kubelet': {
    weight: 3,
    act: ({ state: { world }, node }) => {
      if (world.authority === 'cluster') renewKubelet(world, node);
    },
  },
  'two minutes': { weight: 3, act: ({ state }) => pass(state.world, 130) },
  'the time of a soak': { weight: 5, act: ({ state }) => pass(state.world, SOAK_SECONDS) },
  'new pods': {
    weight: 3,
    act: ({ state, pick }) => {
      if (state.world.authority !== 'cluster') return;
      // What was published since a gate saw it, as by a restore, pods are given until the controller-manager publishes again, though nobody may accept it.
      const { world } = state;
      const accepted = [issued(state), ...planes(world).map((each) => leafOf(world, each, 'apiserver'))].every((leaf) =>
        accepts(world, world.published.trust, leaf),
      );
      if (world.published.since < state.provenAt || accepted) giveTo(state, 'pod', pick);
    },
  },
  'new kubeconfigs': { weight: 3, act: ({ state, pick }) => giveTo(state, 'person', pick) },
  'loss of a node': {
    weight: 1,
    act: ({ state: { world }, node }) => {
      if (world.nodes.every(({ lost }) => !lost) && (!node.plane || planes(world).length > 2)) node.lost = true;
    },
  },
  'return of a node': { weight: 4, act: ({ state }) => state.world.nodes.forEach((each) => comeBack(state, each)) },
  'removal of a node': {
    weight: 1,
    act: ({ state: { world } }) => {
      world.nodes = world.nodes.filter(({ lost }) => !lost);
    },
  },
  'a node that joins': {
    weight: 1,
    act: ({ state, pick }) => {
      if (state.world.nodes.length < 6) state.world.nodes.push(newNode(state, `n-${++state.joined}`, pick % 2 === 0));
    },
  },
  'image of a disk': { weight: 1, act: ({ node }) => void node.images.push(copyOf(node.disk)) },
  'a disk from an image': { weight: 1, act: takeImage },
  snapshot: { weight: 1, act: ({ state: { world } }) => void world.snapshots.push(world.published) },
  restore: { weight: 1, act: ({ state, pick }) => restoreData(state.world, pick) },
  abort: {
    weight: 1,
    // Seldom, or nothing would ever come to its end.
    act: ({ state, pick }) => {
      if (pick % 4 === 0) abort(state);
    },
  },
} satisfies Readonly<Record<string, Event>>;
type EventName = keyof typeof EVENTS;

/** `pick` chooses a node, and what on it. */
export interface Act {
  readonly event: EventName;
  readonly pick: number;
}

export function happen(state: Run, { event, pick }: Act): void {
  const alive = up(state.world);
  const node = alive[pick % alive.length]!;
  const rest = Math.floor(pick / alive.length);
  const components = [...node.disk.files.keys()];
  EVENTS[event].act({ state, node, component: components[rest % Math.max(components.length, 1)], pick: rest });
}

const pick = fc.nat(9_973);
const wild: fc.Arbitrary<Act[]> = fc.array(
  fc.record({
    event: fc.oneof(...Object.entries(EVENTS).map(([event, { weight }]) => ({ weight, arbitrary: fc.constant(event as EventName) }))),
    pick,
  }),
  { minLength: 60, maxLength: 220, size: 'max' },
);
/** Somebody who goes on at once with what he forgot a piece of: only a gate stops him. */
const hurried: fc.Arbitrary<Act[]> = fc
  .array(
    fc.tuple(
      fc.constantFrom<EventName>('work on all', 'work on all but one'),
      pick,
      fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom<EventName>('the time of a soak', 'new pods') },
        { weight: 1, arbitrary: fc.constant<EventName>('abort') },
      ),
    ),
    { minLength: 8, maxLength: 30, size: 'max' },
  )
  .map((rounds) =>
    rounds.flatMap(([event, on, then]): Act[] => [
      { event, pick: on },
      { event: 'new pods', pick: 5 },
      { event: 'new kubeconfigs', pick: 5 },
      { event: then, pick: 0 },
      { event: 'advance', pick: 0 },
    ]),
  );
export const acts = fc.oneof({ weight: 2, arbitrary: wild }, { weight: 1, arbitrary: hurried });

export function abort(state: Run): void {
  const { rotation } = state.document;
  if (rotation === undefined || stateBefore(rotation.mode, rotation.state) === undefined) return;
  state.document = requestAbort(state.document, 'ann', 'errors', step);
}

/** It starts with what its disk has. */
export function comeBack({ world }: Run, node: ModelNode): void {
  if (!node.lost) return;
  node.lost = false;
  for (const component of node.disk.files.keys()) start(world, node, component);
}

function takeImage({ state: { world }, node, pick }: Scene): void {
  const image = node.images[pick % Math.max(node.images.length, 1)];
  if (image === undefined) return;
  node.disk = copyOf(image);
  node.stale = true;
  for (const component of node.disk.files.keys()) start(world, node, component);
}

function giveTo(state: Run, kind: Client['kind'], pick: number): void {
  const all = state.world.clients.filter((client) => client.kind === kind);
  for (const client of all.slice(0, pick % 3 === 0 ? 1 : all.length)) give(state, client);
}

/** What somebody outside of the nodes takes now: a pod what is published, all others what is distributed. */
export const give = (state: Run, client: Client): Client =>
  Object.assign(client, {
    takenAt: state.world.now,
    ...(client.kind === 'pod' ? { trust: state.world.published.trust } : { trust: trustIds(state), leaf: issued(state) }),
  });
