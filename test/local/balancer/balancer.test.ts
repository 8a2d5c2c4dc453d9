import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:https';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { startBalancer } from '../../../local/balancer';
import type { Balancer } from '../../../local/balancer';
import { haproxyOnPath } from '../../../local/balancer/haproxy';
import { waitUntil } from '../../../local/child-process';
import { createAuthority, issueCertificate } from '../../../local/etcd/certificates';
import { freePort } from '../../../local/free-port';

const HOST = '127.0.0.1';
const authority = createAuthority('kubernetes');
const pair = issueCertificate(authority, { commonName: 'kube-apiserver', hosts: [HOST] });

/** Answers with its name, and with what `ready` says on /readyz. */
class Apiserver {
  ready = true;
  port = 0;
  private server: Server | undefined;

  constructor(readonly name: string) {}

  async start(): Promise<void> {
    const server = createServer({ ...pair }, ({ url }, answer) => {
      answer.statusCode = url === '/readyz' && !this.ready ? 500 : 200;
      answer.end(this.name);
    });
    await new Promise<void>((resolve) => server.listen(this.port, HOST, resolve));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  async stop(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
}

/** Who answers a new connection, or how it ended. */
const ask = (url: string): Promise<string> =>
  new Promise((resolve) => {
    const asked = get(url, { ca: authority.cert, agent: false, timeout: 5_000 }, (answer) => {
      answer.setEncoding('utf8').once('data', resolve);
    });
    asked.on('timeout', () => asked.destroy(new Error('timeout')));
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });

// HAProxy too, where somebody has it: the own one must do the same.
describe.each<Balancer['kind']>(haproxyOnPath() === undefined ? ['own'] : ['own', 'haproxy'])('the balancer (%s)', (kind) => {
  let folder: string;
  let balancer: Balancer;
  let one: Apiserver;
  let two: Apiserver;
  beforeEach(async () => {
    folder = mkdtempSync(`${tmpdir()}/lifeboat-balancer-`);
    [one, two] = [new Apiserver('one'), new Apiserver('two')];
    await Promise.all([one.start(), two.start()]);
    const backends = [one, two].map(({ name, port }) => ({ name, host: HOST, port }));
    balancer = await startBalancer({ host: HOST, port: await freePort(HOST), backends, folder, kind });
  });
  afterEach(async () => {
    await balancer.stop();
    await Promise.all([one.stop(), two.stop()]);
    rmSync(folder, { recursive: true });
  });

  const answers = async (count: number) => {
    const found: string[] = [];
    for (let index = 0; index < count; index++) found.push(await ask(balancer.url));
    return found.sort();
  };

  test('passes connections on in turn, to their own TLS', async () => {
    expect(await answers(4)).toEqual(['one', 'one', 'two', 'two']);
  });

  test('gives a connection that one refuses to another: nobody sees that it has gone', async () => {
    await one.stop();

    expect(await answers(6)).toEqual(Array(6).fill('two'));
  });

  test('leaves one that is not ready alone, although it listens, and comes back to it', async () => {
    one.ready = false;
    await waitUntil('only the other answers', 10_000, async () => (await answers(4)).every((name) => name === 'two'));

    one.ready = true;
    await waitUntil('both answer', 10_000, async () => new Set(await answers(4)).size === 2);
  });

  test('closes connections at once while nobody is there, and serves again afterwards', async () => {
    await Promise.all([one.stop(), two.stop()]);
    await waitUntil('connections are closed', 10_000, async () => ['ECONNRESET', 'ECONNREFUSED'].includes(await ask(balancer.url)));

    await two.start();
    await waitUntil('the second answers', 10_000, async () => (await ask(balancer.url)) === 'two');
  });
});
