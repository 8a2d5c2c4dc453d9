import type { ClusterTold, ClusterWrite } from '../contract/exchange-looks';
import type { KubernetesApi } from '../kubernetes/api-client';
import { ApiRefused, KubeadmConfigUnclear } from '../kubernetes/errors';
import { withSigner } from '../kubernetes/kubeadm-config';
import type { SignerFiles } from '../kubernetes/kubeadm-config';
import { AUTHENTICATION, CLUSTER_INFO, ConfigMap, caOfKubeconfig, idsIn } from './look-at-cluster';

const KUBEADM_CONFIG = '/api/v1/namespaces/kube-system/configmaps/kubeadm-config';
/** Others write these objects once a day; five times in a row nobody does. */
const TRIES = 5;

type Data = Readonly<Record<string, string>>;
/** What was written, if anything was. */
interface Changed {
  readonly data?: Data;
}

/**
 * Tells the cluster what is trusted, and kubeadm who signs; what is told already is left alone, and so is a configuration of kubeadm that is not clear,
 * which is said.
 *
 * @throws ApiRefused
 */
export async function tellCluster(
  api: KubernetesApi,
  { clusterInfo, clientCa, requestHeaderCa, signer }: ClusterWrite,
): Promise<ClusterTold> {
  const kubeadm: Changed & { readonly unclear?: string } = signer === undefined ? {} : await tellKubeadm(api, signer);
  const info: Changed = clusterInfo === undefined ? {} : await change(api, CLUSTER_INFO, (data) => infoOf(data, clusterInfo));
  const wanted = { 'client-ca-file': clientCa, 'requestheader-client-ca-file': requestHeaderCa };
  const asked = Object.values(wanted).some((bundle) => bundle !== undefined);
  const authentication: Changed = asked ? await change(api, AUTHENTICATION, (data) => differing(data, wanted)) : {};
  return {
    written: [
      ...(kubeadm.data ? ['kubeadm-config'] : []),
      ...(info.data ? ['cluster-info'] : []),
      ...Object.keys(authentication.data ?? {}).map((key) => `extension-apiserver-authentication ${key}`),
    ],
    ...(kubeadm.unclear !== undefined && { unclear: kubeadm.unclear }),
  };
}

/**
 * Writes what is to be changed of a ConfigMap, decided anew for what is there by then when somebody else was faster: an upgrade by kubeadm, or an API
 * server that starts.
 *
 * @param decide what is to be written; undefined for nothing
 */
async function change(api: KubernetesApi, path: string, decide: (data: Data) => Data | undefined): Promise<Changed> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const found = await api.get(path);
    if (found === undefined) return {};
    const { metadata, data: present } = ConfigMap.parse(found);
    const data = decide(present);
    if (data === undefined) return {};
    if (await api.mergePatch(path, { metadata: { resourceVersion: metadata.resourceVersion }, data })) return { data };
  }
  throw new ApiRefused(`PATCH ${path} was in conflict ${TRIES} times: see who writes it again and again`);
}

function infoOf({ kubeconfig }: Data, bundle: string): Data | undefined {
  if (kubeconfig === undefined || same(caOfKubeconfig(kubeconfig), bundle)) return undefined;
  const data = Buffer.from(bundle).toString('base64');
  return { kubeconfig: kubeconfig.replace(/(certificate-authority-data: *)\S+/, `$1${data}`) };
}

function differing(data: Data, wanted: Readonly<Record<string, string | undefined>>): Data | undefined {
  const changed = Object.entries(wanted).filter(
    (each): each is [string, string] => each[1] !== undefined && data[each[0]] !== undefined && !same(data[each[0]], each[1]),
  );
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}

async function tellKubeadm(api: KubernetesApi, signer: SignerFiles): Promise<Changed & { readonly unclear?: string }> {
  try {
    return await change(api, KUBEADM_CONFIG, ({ ClusterConfiguration: present }) => {
      const { text, changed } = present === undefined ? { text: '', changed: false } : withSigner(present, signer);
      return changed ? { ClusterConfiguration: text } : undefined;
    });
  } catch (error) {
    // Its owner wrote it by hand, and sees to it by hand.
    if (error instanceof KubeadmConfigUnclear) return { unclear: error.message };
    throw error;
  }
}

const same = (one: string | undefined, other: string): boolean => idsIn(one).join() === idsIn(other).join();
