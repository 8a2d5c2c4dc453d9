import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { freePort } from '../free-port';
import { answerFor } from './answer';
import type { Balancers, DnsAnswer, Question, ServedZone } from './answer';
import { respond } from './packets';

export interface NameServer {
  /** `127.0.0.1:port`, by UDP and TCP. */
  readonly address: string;
  stop(): Promise<void>;
}

export interface NameServerOptions {
  /** Read for every question, so that a change is answered at once. */
  readonly zones: () => Promise<readonly ServedZone[]>;
  readonly balancers: () => Balancers;
  /** Answered with this machine, as the name servers of a zone are. */
  readonly isNameServer: (name: string) => boolean;
}

/** A small authoritative name server on loopback. */
export async function startNameServer({ zones, balancers, isNameServer }: NameServerOptions): Promise<NameServer> {
  const port = await freePort();
  const reply = async (message: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> => {
    const served = await zones().catch(() => undefined);
    // SERVFAIL is what a server says that has lost its zones; to say nothing lets the asker try again.
    return served === undefined ? undefined : respond(message, transport, (question) => answer(served, question));
  };
  const answer = (served: readonly ServedZone[], question: Question): DnsAnswer => {
    if (!isNameServer(question.name)) return answerFor(served, balancers(), question);
    const answers = question.type === 'A' ? [{ name: question.name, type: 'A', ttl: 300, value: '127.0.0.1' }] : [];
    return { code: 'NOERROR', answers, authority: [] };
  };

  const udp = createSocket('udp4');
  udp.on('message', (message, from) => {
    void reply(message, 'udp').then((packet) => packet && udp.send(packet, from.port, from.address));
  });
  const connections = new Set<Socket>();
  const tcp = createServer((socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    socket.on('error', () => socket.destroy());
    let waiting = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      waiting = Buffer.concat([waiting, bytes]);
      // Two bytes of length before every message (RFC 1035, 4.2.2).
      while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE(0)) {
        const end = 2 + waiting.readUInt16BE(0);
        const message = waiting.subarray(2, end);
        waiting = waiting.subarray(end);
        void reply(message, 'tcp').then((packet) => {
          if (packet === undefined) return socket.end();
          const length = Buffer.alloc(2);
          length.writeUInt16BE(packet.length);
          return socket.write(Buffer.concat([length, packet]));
        });
      }
    });
  });
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => tcp.listen(port, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${port}`,
    stop: async () => {
      for (const socket of connections) socket.destroy();
      await new Promise<void>((resolve) => tcp.close(() => resolve()));
      await new Promise<void>((resolve) => udp.close(() => resolve()));
    },
  };
}
