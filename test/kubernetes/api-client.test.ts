import { openApi } from '../../lambdas/kubernetes/api-client';
import { freePort } from '../../local/free-port';
import { authority } from '../pki/pki-world';
import { rawServer } from '../ports/listener';
import { PretendApi } from './pretend-api';

const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of started.splice(0)) await each.stop();
});
async function serving(answer: Parameters<typeof PretendApi.start>[0]): Promise<PretendApi> {
  const api = await PretendApi.start(answer);
  started.push(api);
  return api;
}
const refused = (text: RegExp) => ({ name: 'ApiRefused', retryable: true, message: expect.stringMatching(text) as string });

describe('asking the API', () => {
  test('is done by the client certificate, and what it answers is read', async () => {
    const api = await serving(() => [200, { kind: 'Node' }]);

    expect(await openApi([api.place]).get('/api/v1/nodes/one')).toEqual({ kind: 'Node' });
    expect(api.asked).toMatchObject([{ method: 'GET', path: '/api/v1/nodes/one', who: 'kube-apiserver-kubelet-client' }]);
  });

  test('takes the keys of service accounts, which are JSON of another kind, and JSON before all else', async () => {
    // go-restful, which serves them: a route whose kind nobody takes is answered 406.
    const takes = (accepts: readonly string[], kind: string) => accepts.some((each) => each === kind || each === '*/*');
    const api = await serving(({ accepts }) => (takes(accepts, 'application/jwk-set+json') ? [200, { keys: [] }] : [406, '']));

    expect(await openApi([api.place]).get('/openid/v1/jwks')).toEqual({ keys: [] });
    expect(api.asked[0]?.accepts[0]).toBe('application/json');
  });

  test('for what there is not finds nothing', async () => {
    const api = await serving(() => [404, { message: 'not found' }]);

    expect(await openApi([api.place]).get('/api/v1/nodes/none')).toBeUndefined();
  });

  test('goes to the second server when the first is dead, and to nobody else', async () => {
    const dead = await freePort();
    const [second, third] = [await serving(() => [200, { from: 2 }]), await serving(() => [200, { from: 3 }])];

    expect(await openApi([{ ...second.place, port: dead }, second.place, third.place]).get('/api')).toEqual({ from: 2 });
    expect(third.asked).toEqual([]);
  });

  test.each(['nothing', 'half'] as const)('goes to the second server when the first says %s, after the time of the whole', async (said) => {
    const [silent, second] = [await serving(() => said), await serving(() => [200, { from: 2 }])];

    expect(await openApi([silent.place, second.place], 300).get('/api')).toEqual({ from: 2 });
    expect(silent.asked).toHaveLength(1);
  });

  test('is given up when none answers, with the last reason and the place', async () => {
    const silent = await rawServer(() => undefined);
    started.push(silent);
    const { place } = await serving(() => [200, {}]);

    await expect(openApi([{ ...place, port: silent.port }], 200).get('/api')).rejects.toMatchObject(
      refused(new RegExp(`no API server answered GET /api: 127.0.0.1:${silent.port}: no answer within 200 ms`)),
    );
    await expect(openApi([]).get('/api')).rejects.toMatchObject(refused(/no API server is known/));
  });

  test('believes no server that another authority vouches for', async () => {
    const api = await serving(() => [200, {}]);

    await expect(openApi([{ ...api.place, ca: authority('cluster', 7).cert }]).get('/api')).rejects.toMatchObject(
      refused(/no API server answered GET \/api: .*(certificate|signature)/),
    );
    expect(api.asked).toEqual([]);
  });

  test.each([
    [403, 'nodes is forbidden: User "kube-apiserver-kubelet-client" cannot list'],
    [500, 'etcdserver: request timed out'],
  ])('that is refused by %i is told in the words of the server, and nobody else is asked', async (status, message) => {
    const [api, second] = [await serving(() => [status, { message }]), await serving(() => [200, {}])];
    const both = openApi([api.place, second.place]);

    await expect(both.get('/api/v1/nodes')).rejects.toMatchObject(
      refused(new RegExp(`GET /api/v1/nodes is answered ${status}: .*${message.slice(0, 20)}`)),
    );
    await expect(both.mergePatch('/api/v1/nodes/one', {})).rejects.toMatchObject(
      refused(new RegExp(`PATCH /api/v1/nodes/one is answered ${status}`)),
    );
    expect(second.asked).toEqual([]);
  });
});

test('a patch of what has changed meanwhile is not written, and is no refusal', async () => {
  const api = await serving(({ body }) => (body.includes('"7"') ? [200, {}] : [409, { message: 'the object has been modified' }]));
  const patch = (resourceVersion: string) =>
    openApi([api.place]).mergePatch('/api/v1/namespaces/a/configmaps/b', { metadata: { resourceVersion } });

  expect(await patch('6')).toBe(false);
  expect(await patch('7')).toBe(true);
});

test('a patch goes as RFC 7386 says', async () => {
  const api = await serving(() => [200, {}]);

  await openApi([api.place]).mergePatch('/api/v1/namespaces/a/configmaps/b', { data: { ü: 'ß' } });

  expect(api.asked).toMatchObject([{ method: 'PATCH', type: 'application/merge-patch+json', body: '{"data":{"ü":"ß"}}' }]);
});
