import { z } from 'zod';
import type { ClusterLook, ClusterWrite } from '../contract/exchange-looks';
import type { KubernetesApi } from '../kubernetes/api-client';
import { KubeadmConfigUnclear } from '../kubernetes/errors';
import { withSigner } from '../kubernetes/kubeadm-config';
import type { SignerFiles } from '../kubernetes/kubeadm-config';
import { parseBundle } from '../pki/bundle';
import { inspect } from '../pki/inspect';

const CLUSTER_INFO = '/api/v1/namespaces/kube-public/configmaps/cluster-info';
const KUBEADM_CONFIG = '/api/v1/namespaces/kube-system/configmaps/kubeadm-config';
const AUTHENTICATION = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
/** So many objects an answer: what the API server itself asks etcd for at once. */
const PAGE = 500;

const Named = z.object({ metadata: z.object({ name: z.string(), namespace: z.string().optional() }) });
const ConfigMap = Named.extend({ data: z.record(z.string(), z.string()).default({}) });
const Node = Named.extend({
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }).default({ conditions: [] }),
});

/** Where somebody else's certificate of an authority may lie, and where in the object. */
const BUNDLES = [
  ['/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', 'ValidatingWebhookConfiguration'],
  ['/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', 'MutatingWebhookConfiguration'],
  ['/apis/apiregistration.k8s.io/v1/apiservices', 'APIService'],
  ['/apis/apiextensions.k8s.io/v1/customresourcedefinitions', 'CustomResourceDefinition'],
] as const;

/** What the cluster tells by its API of its authorities, and of the nodes that it has. Reads no secret. @throws ApiRefused */
export async function lookAtCluster(api: KubernetesApi): Promise<ClusterLook> {
  const [nodes, roots, info, authentication, ...bundles] = await Promise.all([
    allOf(api, '/api/v1/nodes', Node),
    allOf(api, '/api/v1/configmaps?fieldSelector=metadata.name%3Dkube-root-ca.crt', ConfigMap),
    api.get(CLUSTER_INFO),
    api.get(AUTHENTICATION),
    ...BUNDLES.map(([path]) => allOf(api, path, Named.loose())),
  ]);
  const told = authentication === undefined ? undefined : ConfigMap.parse(authentication).data;
  return {
    nodes: nodes.map(({ metadata: { name }, status }) => ({
      name,
      ready: status.conditions.some((each) => each.type === 'Ready' && each.status === 'True'),
    })),
    published: roots.map(({ metadata: { namespace = '' }, data }) => ({ namespace, ids: idsIn(data['ca.crt']) })),
    clusterInfo: info === undefined ? null : idsIn(caOfKubeconfig(ConfigMap.parse(info).data['kubeconfig'])),
    clientCa: told === undefined ? null : idsIn(told['client-ca-file']),
    requestHeaderCa: told === undefined ? null : idsIn(told['requestheader-client-ca-file']),
    bundles: bundles.flatMap((objects, index) =>
      objects.flatMap((object) => {
        const ids = [...new Set(caBundlesIn(object).flatMap((each) => idsIn(Buffer.from(each, 'base64').toString('utf8'))))];
        return ids.length === 0 ? [] : [{ place: `${BUNDLES[index]?.[1] ?? ''} ${object.metadata.name}`, ids }];
      }),
    ),
  };
}

/**
 * Tells the cluster what is trusted, and kubeadm who signs; what is told already is left alone, and so is a configuration of kubeadm that is not clear.
 *
 * @throws ApiRefused
 */
export async function tellCluster(
  api: KubernetesApi,
  { clusterInfo, clientCa, requestHeaderCa, signer }: ClusterWrite,
): Promise<{ written: string[] }> {
  const written: string[] = [];
  if (signer !== undefined && (await tellKubeadm(api, signer))) written.push('kubeadm-config');
  if (clusterInfo !== undefined) {
    const found = await api.get(CLUSTER_INFO);
    const kubeconfig = found === undefined ? undefined : ConfigMap.parse(found).data['kubeconfig'];
    if (kubeconfig !== undefined && !same(caOfKubeconfig(kubeconfig), clusterInfo)) {
      const data = Buffer.from(clusterInfo).toString('base64');
      await api.mergePatch(CLUSTER_INFO, { data: { kubeconfig: kubeconfig.replace(/(certificate-authority-data: *)\S+/, `$1${data}`) } });
      written.push('cluster-info');
    }
  }
  const wanted = Object.entries({ 'client-ca-file': clientCa, 'requestheader-client-ca-file': requestHeaderCa }).filter(
    (each): each is [string, string] => each[1] !== undefined,
  );
  const found = wanted.length === 0 ? undefined : await api.get(AUTHENTICATION);
  const data = found === undefined ? {} : ConfigMap.parse(found).data;
  const changed = wanted.filter(([key, bundle]) => data[key] !== undefined && !same(data[key], bundle));
  if (changed.length > 0) {
    await api.mergePatch(AUTHENTICATION, { data: Object.fromEntries(changed) });
    written.push(...changed.map(([key]) => `extension-apiserver-authentication ${key}`));
  }
  return { written };
}

async function tellKubeadm(api: KubernetesApi, signer: SignerFiles): Promise<boolean> {
  const found = await api.get(KUBEADM_CONFIG);
  const present = found === undefined ? undefined : ConfigMap.parse(found).data['ClusterConfiguration'];
  if (present === undefined) return false;
  try {
    const { text, changed } = withSigner(present, signer);
    if (changed) await api.mergePatch(KUBEADM_CONFIG, { data: { ClusterConfiguration: text } });
    return changed;
  } catch (error) {
    // Its owner wrote it by hand, and sees to it by hand.
    if (error instanceof KubeadmConfigUnclear) return false;
    throw error;
  }
}

const List = <T>(item: z.ZodType<T>) =>
  z.object({ metadata: z.object({ continue: z.string().optional() }).default({}), items: z.array(item) });

/** Every object of a list, page by page. @throws ApiRefused */
export async function allOf<T>(api: KubernetesApi, path: string, item: z.ZodType<T>): Promise<T[]> {
  const found: T[] = [];
  let next: string | undefined;
  do {
    const page = `${path}${path.includes('?') ? '&' : '?'}limit=${PAGE}${next === undefined ? '' : `&continue=${encodeURIComponent(next)}`}`;
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

const caOfKubeconfig = (text: string | undefined): string | undefined => {
  const data = /certificate-authority-data: *(\S+)/.exec(text ?? '')?.[1];
  return data === undefined ? undefined : Buffer.from(data, 'base64').toString('utf8');
};

/** Nothing for what cannot be read: whoever expects something there misses it. */
function idsIn(pem: string | undefined): string[] {
  try {
    return pem === undefined ? [] : parseBundle(pem).map((each) => inspect(each).sha256);
  } catch {
    return [];
  }
}

const same = (one: string | undefined, other: string): boolean => idsIn(one).join() === idsIn(other).join();
