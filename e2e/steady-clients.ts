import { appendFileSync } from 'node:fs';
import { sleep } from '../local/child-process';
import type { ApiCredentials } from './api-client';
import type { Sent, TrafficSummary } from './traffic';
import { failureOf, summaryOf } from './traffic';

const EVERY_MS = 300;

export type Seen = TrafficSummary & { readonly refusals: number };

/** Clients that ask all the time, each request by a connection of its own and never repeated. */
export interface SteadyClients<Name extends string> {
  /** What one of them saw, of requests that began from one moment on until another. @default - until now */
  seenBy(name: Name, from: number, until?: number): Seen;
  stop(): Promise<void>;
}

/** What one reads or sends, whom it trusts and who it is. */
export interface SteadyRequest {
  readonly url: string;
  readonly path: string;
  readonly credentials: ApiCredentials;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent by POST. @default - it only reads */
  readonly body?: object;
  /** Gets the text of a good answer. */
  readonly heard?: (text: string) => void;
}

export interface SteadyClientsOptions<Name extends string> {
  /** Asked for each request. */
  readonly clients: Readonly<Record<Name, () => SteadyRequest>>;
  /** Gets a line for each request that failed. */
  readonly log: string;
}

/** Whether a request failed because one side did not accept who the other one is; all else is a connection that was cut, or an answer too late. */
export const isRefusal = (failure: string): boolean =>
  /^(401|403|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|ERR_OSSL|EPROTO|HOSTNAME)/.test(failure);

export function startSteadyClients<Name extends string>({ clients, log }: SteadyClientsOptions<Name>): SteadyClients<Name> {
  const ending = new AbortController();
  const sent = new Map<string, Sent[]>();
  const loops = Object.entries<() => SteadyRequest>(clients).map(async ([name, next]) => {
    const own: Sent[] = [];
    sent.set(name, own);
    const once = async (): Promise<void> => {
      const at = Date.now();
      const { url, path, credentials, headers, body, heard } = next();
      const asked = { method: body === undefined ? 'GET' : 'POST', path, ...(headers && { headers }), ...(body && { body }) } as const;
      const failure = await failureOf(url, credentials, asked, ending.signal, heard);
      if (ending.signal.aborted) return;
      own.push({ kind: body === undefined ? 'read' : 'write', at, ms: Date.now() - at, ...(failure !== undefined && { failure }) });
      if (failure !== undefined) appendFileSync(log, `${JSON.stringify({ name, url, at: new Date(at).toISOString(), failure })}\n`);
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
