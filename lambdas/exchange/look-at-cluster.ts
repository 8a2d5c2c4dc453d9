import { z } from 'zod';
import type { ClusterLook } from '../contract/exchange-looks';
import type { KubernetesApi } from '../kubernetes/api-client';
import { parseBundle } from '../pki/bundle';
import { inspect } from '../pki/inspect';

export const CLUSTER_INFO = '/api/v1/namespaces/kube-public/configmaps/cluster-info';
export const AUTHENTICATION = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
/** So many objects an answer: what the API server itself asks etcd for at once. */
const PAGE = 500;
/** A CustomResourceDefinition may have a megabyte. */
const PAGE_OF_LARGE = 25;

const Named = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string().optional(), resourceVersion: z.string().optional() }),
});
export const ConfigMap = Named.extend({ data: z.record(z.string(), z.string()).default({}) });
const PLANE_LABEL = 'node-role.kubernetes.io/control-plane';
const Node = Named.extend({
  metadata: Named.shape.metadata.extend({ labels: z.record(z.string(), z.string()).default({}) }),
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }).default({ conditions: [] }),
});

/** Where somebody else's certificate of an authority may lie, and where in the object. */
const BUNDLES = [
  ['/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', 'ValidatingWebhookConfiguration'],
  ['/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', 'MutatingWebhookConfiguration'],
  ['/apis/apiregistration.k8s.io/v1/apiservices', 'APIService'],
  ['/apis/apiextensions.k8s.io/v1/customresourcedefinitions', 'CustomResourceDefinition'],
] as const;

/** Of such an object nothing is kept but whose certificates it holds. */
const Bundled = Named.loose().transform((object) => ({
  name: object.metadata.name,
  ids: [...new Set(caBundlesIn(object).flatMap((each) => idsIn(Buffer.from(each, 'base64').toString('utf8'))))],
}));

/** What the cluster tells by its API of its authorities, and of the nodes that it has. Reads no secret. @throws ApiRefused */
export async function lookAtCluster(api: KubernetesApi): Promise<ClusterLook> {
  const [nodes, roots, info, authentication, ...bundles] = await Promise.all([
    allOf(api, '/api/v1/nodes', Node),
    allOf(api, '/api/v1/configmaps?fieldSelector=metadata.name%3Dkube-root-ca.crt', ConfigMap),
    api.get(CLUSTER_INFO),
    api.get(AUTHENTICATION),
    ...BUNDLES.map(([path]) => allOf(api, path, Bundled, PAGE_OF_LARGE)),
  ]);
  const told = authentication === undefined ? undefined : ConfigMap.parse(authentication).data;
  return {
    nodes: nodes.map(({ metadata: { name, labels }, status }) => ({
      name,
      ready: status.conditions.some((each) => each.type === 'Ready' && each.status === 'True'),
      ...(PLANE_LABEL in labels && { controlPlane: true }),
    })),
    published: roots.map(({ metadata: { namespace = '' }, data }) => ({ namespace, ids: idsIn(data['ca.crt']) })),
    clusterInfo: info === undefined ? null : idsIn(caOfKubeconfig(ConfigMap.parse(info).data['kubeconfig'])),
    clientCa: told === undefined ? null : idsIn(told['client-ca-file']),
    requestHeaderCa: told === undefined ? null : idsIn(told['requestheader-client-ca-file']),
    bundles: bundles.flatMap((objects, index) =>
      objects.flatMap(({ name, ids }) => (ids.length === 0 ? [] : [{ place: `${BUNDLES[index]?.[1] ?? ''} ${name}`, ids }])),
    ),
  };
}

const List = <T>(item: z.ZodType<T>) =>
  z.object({ metadata: z.object({ continue: z.string().optional() }).default({}), items: z.array(item) });

/** Every object of a list, page by page. @throws ApiRefused */
export async function allOf<T>(api: KubernetesApi, path: string, item: z.ZodType<T>, most = PAGE): Promise<T[]> {
  const found: T[] = [];
  let next: string | undefined;
  do {
    const page = `${path}${path.includes('?') ? '&' : '?'}limit=${most}${next === undefined ? '' : `&continue=${encodeURIComponent(next)}`}`;
    const answer = await api.get(page);
    if (answer === undefined) return found;
    const { items, metadata } = List(item).parse(answer);
    found.push(...items);
    next = metadata.continue === '' ? undefined : metadata.continue;
  } while (next !== undefined);
  return found;
}

/** Every `caBundle` anywhere in an object, base64. */
function caBundlesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(caBundlesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => (key === 'caBundle' && typeof each === 'string' ? [each] : caBundlesIn(each)));
}

export const caOfKubeconfig = (text: string | undefined): string | undefined => {
  const data = /certificate-authority-data: *(\S+)/.exec(text ?? '')?.[1];
  return data === undefined ? undefined : Buffer.from(data, 'base64').toString('utf8');
};

/** Nothing for what cannot be read: whoever expects something there misses it. */
export function idsIn(pem: string | undefined): string[] {
  try {
    return pem === undefined ? [] : parseBundle(pem).map((each) => inspect(each).sha256);
  } catch {
    return [];
  }
}
