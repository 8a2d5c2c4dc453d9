// What a small company runs: enough kinds that a restore which forgets one is seen.
import { z } from 'zod';
import { waitUntil } from '../local/child-process';
import type { Kubectl } from '../local/kubectl';

export const LOST_NAMESPACE = 'shop';
export const KEPT_NAMESPACE = 'staging';
export const WORKER = 'worker-1';
const SCHEDULED_WITHIN_MS = 120_000;

/** Nobody runs its pods: they are scheduled and stay so, whatever the node's state is believed to be. */
const worker = () => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: WORKER },
  status: {
    allocatable: { cpu: '64', memory: '256Gi', pods: '500' },
    capacity: { cpu: '64', memory: '256Gi', pods: '500' },
    conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }],
  },
});

export const deployment = (namespace: string, name: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace, name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      // Nobody is there who would say that a pod has ended.
      spec: {
        terminationGracePeriodSeconds: 0,
        tolerations: [{ operator: 'Exists' }],
        containers: [{ name: 'main', image: 'example.com/none:1' }],
      },
    },
  },
});

export const configMap = (namespace: string, name: string, data: Readonly<Record<string, string>>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name },
  data,
});

const secret = (namespace: string, name: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace, name },
  stringData: { password: `of ${name}` },
});

const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

export const BOATS = 'boats.lifeboat.test';
const boatDefinition = () => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: BOATS },
  spec: {
    group: 'lifeboat.test',
    scope: 'Namespaced',
    names: { plural: 'boats', singular: 'boat', kind: 'Boat' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { seats: { type: 'integer' } } } } },
        },
      },
    ],
  },
});
const boat = (name: string, seats: number) => ({
  apiVersion: 'lifeboat.test/v1',
  kind: 'Boat',
  metadata: { namespace: KEPT_NAMESPACE, name },
  spec: { seats },
});

const numbered = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);

/** Makes everything, and waits until deployments have pods that are scheduled. */
export async function makeWorkload(kubectl: Kubectl, moreNamespaces: readonly string[] = []): Promise<void> {
  await kubectl.apply([...[LOST_NAMESPACE, KEPT_NAMESPACE, ...moreNamespaces].map(namespace), worker(), boatDefinition()]);
  await kubectl.run(['wait', '--for=condition=Established', `crd/${BOATS}`, '--timeout=60s']);
  await kubectl.apply([
    ...[LOST_NAMESPACE, KEPT_NAMESPACE].flatMap((where) => [
      ...numbered(20, 'settings').map((name) => configMap(where, name, { version: 'first' })),
      ...numbered(10, 'password').map((name) => secret(where, name)),
      ...numbered(3, 'web').map((name) => deployment(where, name, 2)),
    ]),
    ...numbered(3, 'boat').map((name, index) => boat(name, index + 2)),
  ]);
  for (const where of [LOST_NAMESPACE, KEPT_NAMESPACE])
    for (const app of numbered(3, 'web')) await podsAreScheduled(kubectl, where, app, 2);
}

/** Waits until controller-manager has made the pods of a deployment, and kube-scheduler given them a node. */
export async function podsAreScheduled(kubectl: Kubectl, where: string, app: string, count: number): Promise<void> {
  const pods = ['pods', '--namespace', where, '--selector', `app=${app}`];
  await waitUntil(
    `${count} pods of ${app} in ${where} are scheduled`,
    SCHEDULED_WITHIN_MS,
    async () => {
      const nodes = await kubectl.run(['get', ...pods, '-o', 'jsonpath={.items[*].spec.nodeName}']);
      return nodes.split(' ').filter((node) => node === WORKER).length === count;
    },
    500,
  );
}

const Listed = z.object({
  items: z.array(
    z.object({
      kind: z.string(),
      metadata: z.object({ name: z.string(), namespace: z.string().default(''), uid: z.string() }),
    }),
  ),
});

/** Kinds whose objects stay as they are while nobody changes them. */
const STEADY = ['namespaces', 'nodes', 'configmaps', 'secrets', 'serviceaccounts', 'deployments', 'replicasets', 'pods', BOATS];

/** The uid of every object by kind, namespace and name: an object that was made again has another one. */
export async function inventoryOf(kubectl: Kubectl, kinds: readonly string[] = STEADY): Promise<ReadonlyMap<string, string>> {
  const { items } = Listed.parse(await kubectl.json(['get', kinds.join(','), '--all-namespaces']));
  return new Map(items.map(({ kind, metadata }) => [`${kind} ${metadata.namespace}/${metadata.name}`, metadata.uid]));
}

/** What one inventory has, and the other lacks or has as another object. */
export const lackingIn = (found: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): readonly string[] =>
  [...wanted].filter(([name, uid]) => found.get(name) !== uid).map(([name]) => name);
