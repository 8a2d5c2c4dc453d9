import { appendFileSync } from 'node:fs';
import { sleep } from '../local/child-process';
import type { ApiCredentials } from './api-client';
import type { Sent, TrafficSummary } from './traffic';
import { TRAFFIC_OBJECT, failureOf, summaryOf } from './traffic';

const EVERY_MS = 150;

/** Clients that read all the time, each request by a connection of its own and never repeated. */
export interface SteadyClients<Name extends string> {
  /** What one of them saw, of requests that began from one moment on until another. @default - until now */
  seenBy(name: Name, from: number, until?: number): TrafficSummary & { readonly refusals: number };
  stop(): Promise<void>;
}

export interface SteadyClientsOptions<Name extends string> {
  readonly url: string;
  /** Whom each trusts and who it is: asked for each request. */
  readonly clients: Readonly<Record<Name, () => ApiCredentials>>;
  /** Gets a line for each request that failed. */
  readonly log: string;
}

/** Whether a request failed because one side did not accept who the other one is; all else is a connection that was cut, or an answer too late. */
export const isRefusal = (failure: string): boolean =>
  /^(401|403|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO|HOSTNAME)/.test(failure);

export function startSteadyClients<Name extends string>({ url, clients, log }: SteadyClientsOptions<Name>): SteadyClients<Name> {
  const ending = new AbortController();
  const sent = new Map<string, Sent[]>();
  const loops = Object.entries<() => ApiCredentials>(clients).map(async ([name, credentials]) => {
    const own: Sent[] = [];
    sent.set(name, own);
    const once = async (): Promise<void> => {
      const at = Date.now();
      const failure = await failureOf(url, credentials(), { method: 'GET', path: TRAFFIC_OBJECT }, ending.signal);
      if (ending.signal.aborted) return;
      own.push({ kind: 'read', at, ms: Date.now() - at, ...(failure !== undefined && { failure }) });
      if (failure !== undefined) appendFileSync(log, `${JSON.stringify({ name, at: new Date(at).toISOString(), failure })}\n`);
    };
    while (!ending.signal.aborted) {
      await once();
      await sleep(EVERY_MS);
    }
  });
  return {
    seenBy: (name, from, until = Infinity) => {
      const seen = (sent.get(name) ?? []).filter(({ at }) => at >= from && at < until);
      return { ...summaryOf(seen), refusals: seen.filter(({ failure }) => failure !== undefined && isRefusal(failure)).length };
    },
    stop: async () => {
      ending.abort();
      await Promise.all(loops);
    },
  };
}
