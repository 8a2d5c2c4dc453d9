import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A server on loopback, whatever it speaks. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  stop(): Promise<void>;
}

export async function listening(server: Server, host = '127.0.0.1'): Promise<Listener> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    host,
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** Does with every connection what it is told to, without any protocol. */
export const rawServer = (behave: (socket: Socket) => void): Promise<Listener> => listening(createServer(behave));
