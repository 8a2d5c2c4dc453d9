import { AUTHENTICATION, ClusterOfEach, F, INFO, N, O, answerBy, configMap, idOf } from './pretend-cluster';

const world = new ClusterOfEach();
const { look } = world;

describe('what the cluster tells', () => {
  test('is read from every page of every list', async () => {
    expect(await look()).toEqual({
      nodes: [
        { name: 'master-1', ready: true, controlPlane: true },
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

    const paths = world.api.asked.map(({ path }) => path);
    expect(
      paths
        .filter((path) => path.startsWith('/api/v1/configmaps'))
        .every((path) => path.includes('fieldSelector=metadata.name%3Dkube-root-ca.crt')),
    ).toBe(true);
    expect(paths.filter((path) => path.includes('/secrets'))).toEqual([]);
  });

  test('is that something is not there, which is not that it is empty', async () => {
    for (const path of [INFO, AUTHENTICATION]) world.objects[path] = undefined;

    expect(await look()).toMatchObject({ clusterInfo: null, clientCa: null, requestHeaderCa: null });

    world.objects[INFO] = configMap('cluster-info', { kubeconfig: 'kind: Config\n' });
    world.objects[AUTHENTICATION] = configMap('extension-apiserver-authentication', { 'client-ca-file': 'damaged' });
    expect(await look()).toMatchObject({ clusterInfo: [], clientCa: [], requestHeaderCa: [] });
  });

  test('is nothing at all where a list is refused', async () => {
    world.answer = (request) => (request.path.includes('apiservices') ? [403, { message: 'forbidden' }] : answerBy(world.objects, request));

    await expect(look()).rejects.toMatchObject({
      name: 'ApiRefused',
      message: expect.stringMatching(/apiservices.* is answered 403: .*forbidden/) as string,
    });
  });
});
