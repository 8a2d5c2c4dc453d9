import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { readyzOf } from '../../lambdas/kubernetes/readyz';
import { sleep } from '../child-process';
import type { Health } from './health';
import { ASSUMED, CHECK_EVERY_MS, judged } from './health';
import type { Backend, Balancer, BalancerOptions } from './balancer';

const CONNECT_WITHIN_MS = 2_000;

interface Checked {
  readonly backend: Backend;
  health: Health;
}

/**
 * Passes TCP connections on to the API servers that are ready, in turn. One that refuses is left for the next one, and a connection that
 * nobody takes is closed at once.
 */
export async function startOwnBalancer({ host, port, backends }: BalancerOptions): Promise<Balancer> {
  const known: Checked[] = backends.map((backend) => ({ backend, health: ASSUMED }));
  const open = new Set<Socket>();
  let turn = 0;
  const candidates = (): readonly Backend[] => {
    const up = known.filter(({ health }) => health.up).map(({ backend }) => backend);
    const first = up.length === 0 ? 0 : turn++ % up.length;
    return [...up.slice(first), ...up.slice(0, first)];
  };
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (client) => {
    open.add(client);
    client.once('close', () => open.delete(client));
    void passOn(client, candidates());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, resolve);
  });
  const ending = new AbortController();
  const checks = known.map((each) => keepChecking(each, ending.signal));
  return {
    kind: 'own',
    url: `https://${host}:${port}`,
    stop: async () => {
      ending.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      for (const client of open) client.destroy();
      await Promise.all([closed, ...checks]);
    },
  };
}

async function keepChecking(each: Checked, ending: AbortSignal): Promise<void> {
  const url = `https://${each.backend.host}:${each.backend.port}`;
  while (!ending.aborted) {
    const passed = await readyzOf(url, CHECK_EVERY_MS).then(
      (status) => status === 200,
      () => false,
    );
    each.health = judged(each.health, passed);
    await sleep(CHECK_EVERY_MS);
  }
}

async function passOn(client: Socket, candidates: readonly Backend[]): Promise<void> {
  // It may go while a backend is looked for.
  client.on('error', () => client.destroy());
  for (const backend of candidates) {
    const upstream = await opened(backend);
    if (upstream === undefined) continue;
    if (client.destroyed) return void upstream.destroy();
    join(client, upstream);
    return;
  }
  client.destroy();
}

/** undefined when it refuses or does not answer. */
function opened({ host, port }: Backend): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.setTimeout(CONNECT_WITHIN_MS, () => socket.destroy(new Error('too slow')));
    socket.once('connect', () => {
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.once('error', () => resolve(undefined));
  });
}

/** An end of one side is told to the other; what it said before is still delivered. */
function join(client: Socket, upstream: Socket): void {
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.on('error', () => other.destroy());
    one.once('close', () => other.destroySoon());
    one.setNoDelay(true);
    one.pipe(other);
  }
}
