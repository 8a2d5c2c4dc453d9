import { createServer } from 'node:net';

// Below Linux's ephemeral range (32768–60999): a port that was free a moment ago is not taken by an outgoing connection.
const LOWEST = 20_000;
const HIGHEST = 32_700;

/** Whether nobody listens there now. */
export function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

const given = new Set<number>();

/** A port that nobody listens on, never given twice by this process; random, so that parallel test workers rarely meet. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (given.has(port) || !(await isFree(port, host))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no free port on ${host} between ${LOWEST} and ${HIGHEST}`);
}
