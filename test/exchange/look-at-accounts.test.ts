import { kidOf, lookAtAccounts } from '../../lambdas/exchange/look-at-accounts';
import { openApi } from '../../lambdas/kubernetes/api-client';
import { PretendApi } from '../kubernetes/pretend-api';
import type { Request } from '../kubernetes/pretend-api';

const tokenBy = (kid: string, claims = 'secret-claims'): string =>
  `${Buffer.from(JSON.stringify({ alg: 'RS256', kid })).toString('base64url')}.${Buffer.from(claims).toString('base64url')}.signature`;

/** By which keys an API server verifies and signs. */
interface Keys {
  readonly verifies: readonly string[];
  readonly signs: string;
}
type Answer = readonly [number, unknown] | 'nothing' | undefined;

const secret = (name: string, token: string | undefined, labels: Record<string, string> = {}) => ({
  metadata: { name, namespace: 'ci', labels },
  data: { 'ca.crt': 'Y2E=', ...(token !== undefined && { token: Buffer.from(token).toString('base64') }) },
});

function answerBy({ verifies, signs }: Keys, { method, path, body }: Request): readonly [number, unknown] {
  if (path === '/openid/v1/jwks') return [200, { keys: verifies.map((kid) => ({ kty: 'RSA', kid })) }];
  if (method === 'POST' && path.endsWith('/serviceaccounts/default/token')) return [201, { status: { token: tokenBy(signs) } }];
  if (method === 'POST' && path.endsWith('/tokenreviews')) {
    const { spec } = JSON.parse(body) as { spec: { token: string } };
    return [201, { status: { authenticated: verifies.includes(kidOf(spec.token) ?? '') } }];
  }
  if (path.startsWith('/api/v1/secrets'))
    return [
      200,
      {
        metadata: {},
        items: [
          secret('robot', tokenBy('old'), { 'kubernetes.io/legacy-token-last-used': '2026-11-20' }),
          secret('unfilled', undefined),
          secret('odd', 'no token'),
        ],
      },
    ];
  return [404, {}];
}

const apis: PretendApi[] = [];
afterEach(async () => {
  await Promise.all(apis.splice(0).map((api) => api.stop()));
});

/** Several API servers, `before` what each would answer. */
async function look(keys: readonly Keys[], before: (place: string, request: Request) => Answer = () => undefined) {
  for (const [index, each] of keys.entries())
    apis.push(await PretendApi.start((request) => before(`master-${index + 1}`, request) ?? answerBy(each, request)));
  return lookAtAccounts(apis.map((api, index) => ({ place: `master-${index + 1}`, api: openApi([api.place], 500) })));
}

test('each API server tells its keys and gives a token, and all are asked whether they accept it', async () => {
  const old = { verifies: ['old'], signs: 'old' };
  const next = { verifies: ['new', 'old'], signs: 'new' };

  const { apiServers } = await look([old, next]);

  expect(apiServers).toEqual([
    {
      ...{ place: 'master-1', verifies: ['old'], signs: 'old' },
      acceptedBy: [
        { place: 'master-1', accepted: true },
        { place: 'master-2', accepted: true },
      ],
    },
    {
      ...{ place: 'master-2', verifies: ['new', 'old'], signs: 'new' },
      acceptedBy: [
        { place: 'master-1', accepted: false },
        { place: 'master-2', accepted: true },
      ],
    },
  ]);
});

test('tokens are asked for ten minutes, the shortest that there is, and none of them is told', async () => {
  const told = await look([{ verifies: ['old'], signs: 'old' }]);

  const asked = apis[0]?.asked.find(({ path }) => path.endsWith('/serviceaccounts/default/token'));
  expect(JSON.parse(asked?.body ?? '')).toMatchObject({ spec: { expirationSeconds: 600 } });
  expect(JSON.stringify(told)).not.toContain('signature');
});

test('tokens that never end are named by their Secrets, with the key where a token names one, and the last use where it is noted', async () => {
  const { legacy } = await look([{ verifies: ['old'], signs: 'old' }]);

  expect(legacy).toEqual([
    { namespace: 'ci', name: 'robot', kid: 'old', lastUsed: '2026-11-20' },
    { namespace: 'ci', name: 'unfilled' },
    { namespace: 'ci', name: 'odd' },
  ]);
});

test.each<[string, (place: string, request: Request) => Answer, object]>([
  [
    'does not answer at all: the others have not accepted, nor refused, what it would sign',
    (place) => (place === 'master-2' ? 'nothing' : undefined),
    {
      apiServers: [
        {
          ...{ place: 'master-1', verifies: ['old'], signs: 'old' },
          acceptedBy: [{ place: 'master-1', accepted: true }, { place: 'master-2' }],
        },
        { place: 'master-2', acceptedBy: [{ place: 'master-1' }, { place: 'master-2' }] },
      ],
      legacy: expect.any(Array) as unknown,
    },
  ],
  [
    'gives no token',
    (place, { path }) => (place === 'master-1' && path.endsWith('/token') ? [403, { message: 'forbidden' }] : undefined),
    {
      apiServers: [
        { place: 'master-1', verifies: ['old'], acceptedBy: [{ place: 'master-1' }, { place: 'master-2' }] },
        { place: 'master-2', signs: 'old' },
      ],
    },
  ],
  [
    'lists no Secrets: another one is asked for them',
    (place, { path }) => (place === 'master-1' && path.startsWith('/api/v1/secrets') ? [500, {}] : undefined),
    { legacy: [{ name: 'robot' }, { name: 'unfilled' }, { name: 'odd' }] },
  ],
])('what is not answered is missing, when one %s', async (_sentence, before, expected) => {
  const keys = { verifies: ['old'], signs: 'old' };

  expect(await look([keys, keys], before)).toMatchObject(expected);
});

test('where nobody lists the Secrets nothing is told of them, which is not that there are none', async () => {
  const told = await look([{ verifies: ['old'], signs: 'old' }], (_, { path }) =>
    path.startsWith('/api/v1/secrets') ? [403, {}] : undefined,
  );

  expect('legacy' in told).toBe(false);
});

test.each([
  [tokenBy('old'), 'old'],
  ['', undefined],
  ['e30.e30.', undefined],
  ['not base64 %%.x.y', undefined],
])('the key of a token is what its header names: %j', (token, kid) => {
  expect(kidOf(token)).toBe(kid);
});
