import { createServer as createHttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import { printBundle } from '../../lambdas/pki/bundle';
import { crossSign } from '../../lambdas/pki/issue';
import { acceptableAuthorities } from '../../lambdas/ports/acceptable-authorities';
import { HandshakeRefused, HandshakeUnreadable, PortUnreachable } from '../../lambdas/ports/errors';
import { freePort } from '../../local/free-port';
import { kubeadmAuthority, printable } from '../pki/kubeadm-authority';
import { remake } from '../pki/remake';
import { NOW, authority, leafOf } from '../pki/pki-world';
import { certificate, inRecords, messagesOf, record, serverHello } from './flights';
import type { Listener } from './listener';
import { listening, rawServer } from './listener';

const [old, next, frontProxy] = [kubeadmAuthority(), authority('cluster', 2), authority('front-proxy')];
const served = [leafOf('apiserver', next).cert, crossSign(next, old, { now: NOW }).cert];
const { key } = leafOf('apiserver', next);

const started: Listener[] = [];
afterEach(async () => {
  for (const listener of started.splice(0)) await listener.stop();
});
async function serving(listener: Promise<Listener>): Promise<Listener> {
  started.push(await listener);
  return listener;
}
const tls = (options: TlsOptions): Promise<Listener> => {
  const server = createTlsServer({ cert: printBundle(served), key, ...options });
  server.on('tlsClientError', () => undefined);
  return serving(listening(server));
};
const raw = (behave: Parameters<typeof rawServer>[0]) => serving(rawServer(behave));
const textsAt = async (listener: Listener) => (await acceptableAuthorities(listener)).authorities?.map(({ text }) => text);

describe('what a server has as authorities of its clients', () => {
  test('is told by name, with the chain that it serves, without any credential', async () => {
    const port = await tls({ requestCert: true, ca: [old.cert, next.cert, frontProxy.cert] });

    const { chain, authorities } = await acceptableAuthorities(port);

    expect(chain).toEqual(served);
    expect(authorities?.map(({ text }) => text).sort()).toEqual([
      expect.stringMatching(/^CN=front-proxy-ca-g1-[0-9a-f]{8}$/),
      'CN=kubernetes',
      expect.stringMatching(/^CN=kubernetes-g2-[0-9a-f]{8}$/),
    ]);
    expect(authorities?.map(({ der }) => der)).toContain(printable('kubernetes').toString('base64'));
  });

  test('is read anew each time: a server that learns of another authority is seen to', async () => {
    const server = createTlsServer({ cert: printBundle(served), key, requestCert: true, ca: old.cert });
    const port = await serving(listening(server));
    expect(await textsAt(port)).toEqual(['CN=kubernetes']);

    server.setSecureContext({ cert: printBundle(served), key, ca: [next.cert] });

    expect(await textsAt(port)).toEqual([expect.stringMatching(/^CN=kubernetes-g2-/)]);
  });

  test('is nothing where no certificate is asked for', async () => {
    expect(await acceptableAuthorities(await tls({}))).toEqual({ chain: served, authorities: undefined });
  });

  test('is told by a server that insists on a certificate too', async () => {
    expect(await textsAt(await tls({ requestCert: true, rejectUnauthorized: true, ca: old.cert }))).toEqual(['CN=kubernetes']);
  });

  test('is asked for under the name of the host, or the one that is given', async () => {
    const names: string[] = [];
    const port = await tls({
      SNICallback: (name, done) => {
        names.push(name);
        done(null);
      },
    });

    await acceptableAuthorities(port);
    await acceptableAuthorities({ ...port, serverName: 'api.prod.example.com' });
    await acceptableAuthorities({ ...port, host: 'localhost' });

    expect(names).toEqual(['api.prod.example.com', 'localhost']);
  });

  test('can be a hundred names', async () => {
    const called = (name: Buffer) => remake(old.cert, old.key, () => ({ subject: name, issuer: name }));
    const many = Array.from({ length: 100 }, (_, index) => called(printable(`kubernetes-${index}`)));
    const { authorities } = await acceptableAuthorities(await tls({ requestCert: true, ca: many }));

    expect(new Set(authorities?.map(({ der }) => der)).size).toBe(100);
  });
});

describe('a port that tells nothing', () => {
  const failure = (port: Pick<Listener, 'host' | 'port'>, withinMs?: number) =>
    acceptableAuthorities(port, withinMs).then(
      () => undefined,
      (error: unknown) => error,
    );

  test('for it speaks TLS 1.3 only: the alert is told by its name', async () => {
    const error = await failure(await tls({ minVersion: 'TLSv1.3' }));

    expect(error).toBeInstanceOf(HandshakeRefused);
    expect(error).toHaveProperty(
      'message',
      expect.stringMatching(/^127\.0\.0\.1:\d+ ended the handshake by the alert protocol_version \(70\): /),
    );
  });

  test('for it speaks HTTP', async () => {
    const error = await failure(await serving(listening(createHttpServer())));

    expect(error).toBeInstanceOf(HandshakeUnreadable);
    expect(error).toHaveProperty('message', expect.stringContaining('begins with "HTTP/", which is no record of TLS'));
  });

  test.each<[string, Parameters<typeof rawServer>[0], RegExp]>([
    ['it is silent', () => undefined, /within 200 ms, it stopped before a single byte/],
    ['it stops within its first record', (socket) => socket.write(Buffer.of(22, 3, 3)), /stopped inside of its first record/],
    ['it ends the connection', (socket) => socket.end(), /ended the connection before a single byte: see that it runs/],
    ['it resets the connection', (socket) => setTimeout(() => socket.resetAndDestroy(), 20), /cannot be asked: read ECONNRESET/],
  ])('for %s', async (_why, behave, text) => {
    const began = performance.now();

    const error = await failure(await raw(behave), 200);

    expect(error).toBeInstanceOf(PortUnreachable);
    expect(error).toHaveProperty('message', expect.stringMatching(text));
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test('for nobody listens', async () => {
    const error = await failure({ host: '127.0.0.1', port: await freePort() });

    expect(error).toBeInstanceOf(PortUnreachable);
    expect(error).toHaveProperty('message', expect.stringMatching(/^127\.0\.0\.1:\d+ cannot be asked: connect ECONNREFUSED/));
  });

  test('for it never stops: it is left after what any server could say', async () => {
    const hello = inRecords(Buffer.concat([serverHello(), certificate(Buffer.of(0x30, 0)), Buffer.of(12, 3, 0xff, 0)]));
    const port = await raw((socket) => {
      const endless = () => {
        while (socket.write(record(22, Buffer.alloc(0x4000, 1))));
      };
      socket.on('drain', endless);
      socket.write(hello);
      endless();
    });

    expect(await failure(port)).toHaveProperty('message', expect.stringMatching(/is longer than 262144 bytes/));
  });

  test('for it drips a byte at a time: the time is that of the whole, and not between two bytes', async () => {
    const port = await raw((socket) => {
      const drip = setInterval(() => socket.write(Buffer.of(22)), 20);
      socket.on('close', () => clearInterval(drip));
    });

    expect(await failure(port, 90)).toBeInstanceOf(PortUnreachable);
  });

  test('for what it sends as a certificate is none', async () => {
    const port = await raw((socket) => socket.write(inRecords(messagesOf({ chain: [Buffer.from('none')], authorities: undefined }))));

    expect(await failure(port)).toHaveProperty(
      'message',
      expect.stringMatching(/sends as a certificate or a name what .*: see what listens there/),
    );
  });
});
