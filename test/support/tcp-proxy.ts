import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A door to one etcd member that can be shut while something passes: TLS goes through untouched. */
export interface TcpProxy {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/**
 * Listens on the member's own address, so that its certificate fits, and resets every connection once it has let
 * `cutAfterBytes` through from the member.
 */
export async function startTcpProxy(memberEndpoint: string, cutAfterBytes: number): Promise<TcpProxy> {
  const { hostname, port } = new URL(memberEndpoint);
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const member = connect(Number(port), hostname);
    for (const socket of [client, member]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => open.delete(socket));
    }
    let passed = 0;
    member.on('data', (bytes) => {
      passed += bytes.length;
      if (passed < cutAfterBytes) return;
      client.resetAndDestroy();
      member.destroy();
    });
    member.pipe(client);
    client.pipe(member);
  });
  await new Promise<void>((resolve) => server.listen(0, hostname, resolve));
  return {
    endpoint: `https://${hostname}:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
