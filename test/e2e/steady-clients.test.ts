import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isRefusal, startSteadyClients } from '../../e2e/steady-clients';
import { waitUntil } from '../../local/child-process';
import { PretendApi } from '../kubernetes/pretend-api';

test.each([
  '401 Unauthorized',
  '403 Forbidden',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  'EPROTO',
])('%s: somebody is not accepted', (failure) => expect(isRefusal(failure)).toBe(true));

test.each(['ECONNRESET', 'ECONNREFUSED', '500 InternalError', '503 ServiceUnavailable', '404 NotFound', 'no answer within 20 s'])(
  '%s: nobody says that anybody is not accepted',
  (failure) => expect(isRefusal(failure)).toBe(false),
);

describe('clients of an API server', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'steady-clients-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('send what they have to say as JSON, hear what was made, and read all else; each failure is a line', async () => {
    const api = await PretendApi.start(({ method }) =>
      method === 'POST' ? [201, { made: 'a token' }] : [401, { reason: 'Unauthorized' }],
    );
    const { host, port, ca, client } = api.place;
    const asked = { url: `https://${host}:${port}`, credentials: { ca, ...client } };
    const heard: string[] = [];
    const log = path.join(folder, 'failed-requests.jsonl');
    const body = { kind: 'TokenRequest' };
    const clients = startSteadyClients<'sends' | 'reads'>({
      clients: {
        sends: () => ({ ...asked, path: '/token', body, heard: (text) => heard.push(text) }),
        reads: () => ({ ...asked, path: '/object' }),
      },
      log,
    });
    await waitUntil('both asked', 10_000, () => Promise.resolve(heard.length > 0 && clients.seenBy('reads', 0).requests > 0));
    await clients.stop();
    await api.stop();

    expect(JSON.parse(heard[0] ?? '')).toEqual({ made: 'a token' });
    expect(clients.seenBy('sends', 0)).toMatchObject({ failedRequests: 0, refusals: 0 });
    const { requests, refusals, failures } = clients.seenBy('reads', 0);
    expect({ refusals, failures }).toEqual({ refusals: requests, failures: { '401 Unauthorized': requests } });
    expect(readFileSync(log, 'utf8').trim().split('\n')).toHaveLength(requests);
    const sent = api.asked.find(({ method }) => method === 'POST');
    expect(sent).toMatchObject({ path: '/token', type: 'application/json', body: JSON.stringify(body) });
    expect(api.asked.filter(({ path: at }) => at === '/object').every(({ method, body: of }) => method === 'GET' && of === '')).toBe(true);
  });
});
