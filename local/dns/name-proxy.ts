import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { freePort } from '../free-port';
import type { LocalNames } from './index';

/**
 * A proxy for CONNECT that finds names by the local name server, for programs that know the machine's own resolver alone: with
 * `HTTPS_PROXY=<url>` kubectl reaches the API by its name. Every connection asks anew, as a client does whose answer has grown too old.
 */
export async function startNameProxy(names: Pick<LocalNames, 'addressesOf'>): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const open = new Set<Socket>();
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const server = createServer((_request, response) => response.writeHead(405).end('only CONNECT\n'));
  server.on('connect', (request, client: Socket, head: Buffer) => {
    keep(client);
    const { hostname, port: wanted } = new URL(`http://${request.url ?? ''}`);
    void names.addressesOf(hostname).then(([address]) => {
      if (address === undefined) return client.end('HTTP/1.1 502 no such name\r\n\r\n');
      const upstream = connect({ host: address, port: Number(wanted) }, () => {
        client.write('HTTP/1.1 200 connected\r\n\r\n');
        upstream.write(head);
        upstream.pipe(client);
        client.pipe(upstream);
      });
      keep(upstream);
      upstream.once('error', () => client.destroy());
      client.once('close', () => upstream.destroy());
      return upstream;
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
