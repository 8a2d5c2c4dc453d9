import { lookAtCluster, tellCluster } from '../../lambdas/exchange/look-at-cluster';
import { openApi } from '../../lambdas/kubernetes/api-client';
import { printBundle } from '../../lambdas/pki/bundle';
import { inspect } from '../../lambdas/pki/inspect';
import { PretendApi } from '../kubernetes/pretend-api';
import type { Request } from '../kubernetes/pretend-api';
import { authority } from '../pki/pki-world';

const [O, N, F] = [authority('cluster', 1), authority('cluster', 2), authority('front-proxy')].map(({ cert }) => cert) as [
  string,
  string,
  string,
];
const idOf = (pem: string): string => inspect(pem).sha256;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const kubeconfig = (ca: string): string =>
  `apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: ${base64(ca)}\n    server: https://api:6443\n  name: ""\nkind: Config\n`;
const configMap = (name: string, data: Record<string, string>, namespace = 'kube-system') => ({ metadata: { name, namespace }, data });
const hook = (name: string, caBundle?: string) => ({
  metadata: { name },
  webhooks: [{ clientConfig: caBundle === undefined ? {} : { caBundle } }],
});
const node = (name: string, ready: string) => ({
  metadata: { name },
  status: {
    conditions: [
      { type: 'MemoryPressure', status: 'True' },
      { type: 'Ready', status: ready },
    ],
  },
});

type Objects = Record<string, unknown>;
const INFO = '/api/v1/namespaces/kube-public/configmaps/cluster-info';
const AUTHENTICATION = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
const cluster = (): Objects => ({
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

let api: PretendApi;
let objects: Objects;
/** Lists a page at a time, as the API server does; what is not there is 404. */
function answer({ method, path, body }: Request): readonly [number, unknown] {
  const url = new URL(path, 'https://api');
  const found = objects[url.pathname];
  if (method === 'PATCH') {
    const { data } = JSON.parse(body) as { data: object };
    const before = found as { data: object };
    objects[url.pathname] = { ...before, data: { ...before.data, ...data } };
    return [200, objects[url.pathname]];
  }
  if (found === undefined) return [404, { message: 'not found' }];
  if (!Array.isArray(found)) return [200, found];
  const page = Number(url.searchParams.get('continue')?.replace('page/+', '') ?? 0);
  return [200, { metadata: { continue: page + 1 < found.length ? `page/+${page + 1}` : '' }, items: found[page] as unknown }];
}
beforeEach(async () => {
  objects = cluster();
  api = await PretendApi.start(answer);
});
afterEach(() => api.stop());
const look = () => lookAtCluster(openApi([api.place]));
const patches = () => api.asked.filter(({ method }) => method === 'PATCH').map(({ path, body }) => [path, JSON.parse(body) as unknown]);

describe('what the cluster tells', () => {
  test('is read from every page of every list', async () => {
    expect(await look()).toEqual({
      nodes: [
        { name: 'master-1', ready: true },
        { name: 'master-2', ready: false },
        { name: 'worker-1', ready: false },
      ],
      published: [
        { namespace: 'default', ids: [idOf(O)] },
        { namespace: 'apps', ids: [idOf(O), idOf(N)] },
      ],
      clusterInfo: [idOf(O)],
      clientCa: [idOf(O)],
      requestHeaderCa: [idOf(F)],
      bundles: [
        { place: 'ValidatingWebhookConfiguration policy', ids: [idOf(O)] },
        { place: 'APIService v1.metrics', ids: [idOf(O), idOf(N)] },
      ],
    });
  });

  test('is asked for by the name alone where everything else would be read too, and no secret is', async () => {
    await look();

    const paths = api.asked.map(({ path }) => path);
    expect(
      paths
        .filter((path) => path.startsWith('/api/v1/configmaps'))
        .every((path) => path.includes('fieldSelector=metadata.name%3Dkube-root-ca.crt')),
    ).toBe(true);
    expect(paths.filter((path) => path.includes('/secrets'))).toEqual([]);
  });

  test('is that something is not there, which is not that it is empty', async () => {
    for (const path of [INFO, AUTHENTICATION]) objects[path] = undefined;

    expect(await look()).toMatchObject({ clusterInfo: null, clientCa: null, requestHeaderCa: null });

    objects[INFO] = configMap('cluster-info', { kubeconfig: 'kind: Config\n' });
    objects[AUTHENTICATION] = configMap('extension-apiserver-authentication', { 'client-ca-file': 'damaged' });
    expect(await look()).toMatchObject({ clusterInfo: [], clientCa: [], requestHeaderCa: [] });
  });

  test('is nothing at all where a list is refused', async () => {
    await api.stop();
    api = await PretendApi.start((request) => (request.path.includes('apiservices') ? [403, { message: 'forbidden' }] : answer(request)));

    await expect(look()).rejects.toMatchObject({
      name: 'ApiRefused',
      message: expect.stringMatching(/apiservices.* is answered 403: .*forbidden/) as string,
    });
  });
});

describe('what the cluster is told', () => {
  const both = printBundle([N, O]);
  const tell = (write: Parameters<typeof tellCluster>[1]) => tellCluster(openApi([api.place]), write);

  test('is written where it differs, and everything beside it stays', async () => {
    expect(await tell({ clusterInfo: both, clientCa: both, requestHeaderCa: F })).toEqual({
      written: ['cluster-info', 'extension-apiserver-authentication client-ca-file'],
    });

    expect(patches()).toEqual([
      [INFO, { data: { kubeconfig: kubeconfig(both) } }],
      [AUTHENTICATION, { data: { 'client-ca-file': both } }],
    ]);
    expect(await look()).toMatchObject({ clusterInfo: [idOf(N), idOf(O)], clientCa: [idOf(N), idOf(O)], requestHeaderCa: [idOf(F)] });
  });

  test('tells kubeadm by which files is signed, once, and leaves alone what is not clear', async () => {
    const path = '/api/v1/namespaces/kube-system/configmaps/kubeadm-config';
    const signer = { certFile: '/etc/kubernetes/pki/signer/ca.crt', keyFile: '/etc/kubernetes/pki/signer/ca.key' };
    const before = 'apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n';
    objects[path] = { metadata: { name: 'kubeadm-config' }, data: { ClusterConfiguration: before } };

    expect(await tell({ signer })).toEqual({ written: ['kubeadm-config'] });

    const [[, patch] = []] = patches();
    expect(patch).toEqual({
      data: { ClusterConfiguration: expect.stringContaining(`cluster-signing-cert-file: ${signer.certFile}`) as string },
    });
    expect(await tell({ signer })).toEqual({ written: [] });
    objects[path] = { metadata: { name: 'kubeadm-config' }, data: { ClusterConfiguration: 'apiVersion: kubeadm.k8s.io/v1\n' } };
    expect(await tell({ signer })).toEqual({ written: [] });
    expect(patches()).toHaveLength(1);
    objects[path] = undefined;
    expect(await tell({ signer })).toEqual({ written: [] });
  });

  test('is written once', async () => {
    for (let time = 0; time < 2; time++) await tell({ clusterInfo: both, clientCa: both });

    expect(patches()).toHaveLength(2);
  });

  test('is not written where nothing is, or nothing is to be', async () => {
    for (const path of [INFO, AUTHENTICATION]) objects[path] = undefined;

    expect(await tell({ clusterInfo: both, clientCa: both, requestHeaderCa: both })).toEqual({ written: [] });
    expect(await tell({})).toEqual({ written: [] });
    expect(patches()).toEqual([]);
  });
});
