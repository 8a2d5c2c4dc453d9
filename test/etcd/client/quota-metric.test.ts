import { createServer } from 'node:https';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readQuotaMetric } from '../../../lambdas/etcd/client/quota-metric';
import { createAuthority, issueCertificate } from '../../../local/etcd/certificates';

const authority = createAuthority();
const client = { ca: authority.cert, ...issueCertificate(authority, { commonName: 'lifeboat', usage: 'client' }) };

async function asking<T>(answer: RequestListener, ask: (endpoint: string) => Promise<T>): Promise<T> {
  const pair = issueCertificate(authority, { commonName: 'one', hosts: ['127.0.0.1'] });
  const server: Server = createServer({ ...pair, ca: authority.cert, requestCert: true, rejectUnauthorized: true }, answer);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  try {
    return await ask(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const says =
  (text: string, status = 200) =>
  (_ask: unknown, answer: Parameters<RequestListener>[1]) => {
    answer.writeHead(status);
    answer.end(text);
  };
const metrics = (value: string) =>
  `# HELP etcd_server_quota_backend_bytes x\n# TYPE …\netcd_server_quota_backend_bytes ${value}\nother 7\n`;

test.each<[string, RequestListener, number | undefined]>([
  ['as Prometheus writes large numbers', says(metrics('8.589934592e+09')), 8 * 1024 ** 3],
  ['not where there is no limit', says(metrics('-1')), undefined],
  ['not where it is missing', says('other 7\n'), undefined],
  ['not where it is no number', says(metrics('many')), undefined],
  ['not from a page that says no', says(metrics('5'), 403), undefined],
  ['not from a page without an end', (_ask, answer) => void setInterval(() => answer.write('x'.repeat(1 << 20)), 1).unref(), undefined],
  ['not from one that hangs up', (ask) => ask.socket.destroy(), undefined],
])('a quota is read %s', async (_how, answer, quota) => {
  expect(await asking(answer, (endpoint) => readQuotaMetric(endpoint, client, 10_000))).toBe(quota);
});

test('a member that never answers is given up', async () => {
  expect(await asking(() => undefined, (endpoint) => readQuotaMetric(endpoint, client, 50))).toBeUndefined(); // prettier-ignore
});

test('nobody is asked without a certificate that the member accepts', async () => {
  const stranger = { ca: authority.cert, ...issueCertificate(createAuthority(), { commonName: 'x', usage: 'client' }) };

  expect(await asking(says(metrics('5')), (endpoint) => readQuotaMetric(endpoint, stranger, 10_000))).toBeUndefined();
});
