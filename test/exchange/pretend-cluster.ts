import { inspect } from '../../lambdas/pki/inspect';
import { lookAtCluster } from '../../lambdas/exchange/look-at-cluster';
import { openApi } from '../../lambdas/kubernetes/api-client';
import { PretendApi } from '../kubernetes/pretend-api';
import type { Request } from '../kubernetes/pretend-api';
import { authority } from '../pki/pki-world';

export const [O, N, F] = [authority('cluster', 1), authority('cluster', 2), authority('front-proxy')].map(({ cert }) => cert) as [
  string,
  string,
  string,
];
export const idOf = (pem: string): string => inspect(pem).sha256;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
export const kubeconfig = (ca: string): string =>
  `apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: ${base64(ca)}\n    server: https://api:6443\n  name: ""\nkind: Config\n`;
export const configMap = (name: string, data: Record<string, string>, namespace = 'kube-system') => ({
  metadata: { name, namespace, resourceVersion: '1' },
  data,
});
const hook = (name: string, caBundle?: string) => ({
  metadata: { name },
  webhooks: [{ clientConfig: caBundle === undefined ? {} : { caBundle } }],
});
const node = (name: string, ready: string) => ({
  metadata: { name, labels: name === 'master-1' ? { 'node-role.kubernetes.io/control-plane': '' } : { zone: 'a' } },
  status: {
    conditions: [
      { type: 'MemoryPressure', status: 'True' },
      { type: 'Ready', status: ready },
    ],
  },
});

export type Objects = Record<string, unknown>;
export const INFO = '/api/v1/namespaces/kube-public/configmaps/cluster-info';
export const AUTHENTICATION = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
export const cluster = (): Objects => ({
  [INFO]: configMap('cluster-info', { kubeconfig: kubeconfig(O), 'jws-kubeconfig-abcdef': 'e..y' }, 'kube-public'),
  [AUTHENTICATION]: configMap('extension-apiserver-authentication', {
    'client-ca-file': O,
    'requestheader-client-ca-file': F,
    'requestheader-allowed-names': '["front-proxy-client"]',
  }),
  '/api/v1/nodes': [[node('master-1', 'True')], [node('master-2', 'Unknown'), { metadata: { name: 'worker-1' } }]],
  '/api/v1/configmaps': [
    [configMap('kube-root-ca.crt', { 'ca.crt': O }, 'default')],
    [configMap('kube-root-ca.crt', { 'ca.crt': `${O}${N}` }, 'apps')],
  ],
  '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations': [[hook('policy', base64(O)), hook('without')]],
  '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations': [[hook('damaged', base64('none'))]],
  '/apis/apiregistration.k8s.io/v1/apiservices': [[{ metadata: { name: 'v1.metrics' }, spec: { caBundle: base64(`${O}${N}`) } }]],
});

/** What an API server answers that has these objects: lists a page at a time; what is not there is 404, and what was changed meanwhile is not patched. */
export function answerBy(objects: Objects, { method, path, body }: Request): readonly [number, unknown] {
  const url = new URL(path, 'https://api');
  const found = objects[url.pathname];
  if (method === 'PATCH') {
    const { data, metadata } = JSON.parse(body) as { data: object; metadata?: { resourceVersion?: string } };
    const before = found as ReturnType<typeof configMap>;
    const { resourceVersion } = before.metadata;
    if (metadata?.resourceVersion !== undefined && metadata.resourceVersion !== resourceVersion)
      return [409, { message: 'the object has been modified' }];
    const after = { ...before.metadata, resourceVersion: `${Number(resourceVersion) + 1}` };
    objects[url.pathname] = { metadata: after, data: { ...before.data, ...data } };
    return [200, objects[url.pathname]];
  }
  if (found === undefined) return [404, { message: 'not found' }];
  if (!Array.isArray(found)) return [200, found];
  const page = Number(url.searchParams.get('continue')?.replace('page/+', '') ?? 0);
  return [200, { metadata: { continue: page + 1 < found.length ? `page/+${page + 1}` : '' }, items: found[page] as unknown }];
}

/** What was patched, in its order. */
export const patchesOf = (api: PretendApi): [string, unknown][] =>
  api.asked.filter(({ method }) => method === 'PATCH').map(({ path, body }) => [path, JSON.parse(body) as unknown]);

type Answer = Parameters<typeof PretendApi.start>[0];

/** A cluster for each test, behind one API server that is stopped after it. */
export class ClusterOfEach {
  objects: Objects = {};
  answer: Answer = (request) => answerBy(this.objects, request);
  private started: PretendApi | undefined;

  constructor() {
    beforeEach(async () => {
      this.objects = cluster();
      this.answer = (request) => answerBy(this.objects, request);
      this.started = await PretendApi.start((request) => this.answer(request));
    });
    afterEach(() => this.started?.stop());
  }

  get api(): PretendApi {
    if (this.started === undefined) throw new Error('it is started before each test');
    return this.started;
  }

  readonly look = () => lookAtCluster(openApi([this.api.place]));
}
