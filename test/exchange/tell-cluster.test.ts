import { tellCluster } from '../../lambdas/exchange/tell-cluster';
import { openApi } from '../../lambdas/kubernetes/api-client';
import { printBundle } from '../../lambdas/pki/bundle';
import { AUTHENTICATION, ClusterOfEach, F, INFO, N, O, answerBy, configMap, idOf, kubeconfig, patchesOf } from './pretend-cluster';

const world = new ClusterOfEach();
const { look } = world;

describe('what the cluster is told', () => {
  const both = printBundle([N, O]);
  const metadata = { resourceVersion: '1' };
  const tell = (write: Parameters<typeof tellCluster>[1]) => tellCluster(openApi([world.api.place]), write);

  test('is written where it differs, and everything beside it stays', async () => {
    expect(await tell({ clusterInfo: both, clientCa: both, requestHeaderCa: F })).toEqual({
      written: ['cluster-info', 'extension-apiserver-authentication client-ca-file'],
    });

    expect(patchesOf(world.api)).toEqual([
      [INFO, { metadata, data: { kubeconfig: kubeconfig(both) } }],
      [AUTHENTICATION, { metadata, data: { 'client-ca-file': both } }],
    ]);
    expect(await look()).toMatchObject({ clusterInfo: [idOf(N), idOf(O)], clientCa: [idOf(N), idOf(O)], requestHeaderCa: [idOf(F)] });
  });

  test('tells kubeadm by which files is signed, once, and leaves alone what is not clear, with the reason', async () => {
    const path = '/api/v1/namespaces/kube-system/configmaps/kubeadm-config';
    const signer = { certFile: '/etc/kubernetes/pki/signer/ca.crt', keyFile: '/etc/kubernetes/pki/signer/ca.key' };
    const before = 'apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n';
    world.objects[path] = configMap('kubeadm-config', { ClusterConfiguration: before });

    expect(await tell({ signer })).toEqual({ written: ['kubeadm-config'] });

    const [[, patch] = []] = patchesOf(world.api);
    expect(patch).toEqual({
      metadata,
      data: { ClusterConfiguration: expect.stringContaining(`cluster-signing-cert-file: ${signer.certFile}`) as string },
    });
    expect(await tell({ signer })).toEqual({ written: [] });
    world.objects[path] = configMap('kubeadm-config', { ClusterConfiguration: 'apiVersion: kubeadm.k8s.io/v1\n' });
    expect(await tell({ signer })).toEqual({ written: [], unclear: expect.stringMatching(/kubeadm.k8s.io.v1.*by hand/) as string });
    expect(patchesOf(world.api)).toHaveLength(1);
    world.objects[path] = undefined;
    expect(await tell({ signer })).toEqual({ written: [] });
  });

  test('is written once', async () => {
    for (let time = 0; time < 2; time++) await tell({ clusterInfo: both, clientCa: both });

    expect(patchesOf(world.api)).toHaveLength(2);
  });

  test('is not written where nothing is, or nothing is to be', async () => {
    for (const path of [INFO, AUTHENTICATION]) world.objects[path] = undefined;

    expect(await tell({ clusterInfo: both, clientCa: both, requestHeaderCa: both })).toEqual({ written: [] });
    expect(await tell({})).toEqual({ written: [] });
    expect(patchesOf(world.api)).toEqual([]);
  });

  test('is decided anew for what somebody else wrote in between, and takes nothing back of it', async () => {
    let others = 2;
    world.answer = (request) => {
      const answer = answerBy(world.objects, request);
      // Between what is read and what is written.
      if (request.method === 'GET' && request.path === AUTHENTICATION && others-- > 0) {
        const { metadata, data } = world.objects[AUTHENTICATION] as ReturnType<typeof configMap>;
        const resourceVersion = `${Number(metadata.resourceVersion) + 1}`;
        world.objects[AUTHENTICATION] = {
          metadata: { ...metadata, resourceVersion },
          data: { ...data, 'client-ca-file': O, theirs: resourceVersion },
        };
      }
      return answer;
    };

    expect(await tell({ clientCa: both })).toEqual({ written: ['extension-apiserver-authentication client-ca-file'] });

    expect(world.objects[AUTHENTICATION]).toMatchObject({
      data: { 'client-ca-file': both, theirs: '3', 'requestheader-client-ca-file': F },
    });
    expect(patchesOf(world.api)).toHaveLength(3);
  });

  test('is refused where somebody writes it again and again', async () => {
    world.answer = (request) => (request.method === 'PATCH' ? [409, {}] : answerBy(world.objects, request));

    await expect(tell({ clusterInfo: both })).rejects.toMatchObject({
      name: 'ApiRefused',
      message: expect.stringMatching(/cluster-info was in conflict 5 times/) as string,
    });
  });
});
