import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';

/** By what a client reaches the API: the authorities that it trusts, PEM, and who it is, by a certificate or by a token as pods have one. */
export type ApiCredentials = { readonly ca: string } & ({ readonly cert: string; readonly key: string } | { readonly token: string });

export interface ApiRequest {
  readonly method: 'GET' | 'PATCH' | 'POST';
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connections that it may use. @default - a new one for this request alone */
  readonly agent?: Agent;
  readonly signal: AbortSignal;
}

/** Sends one request, verifies who answers, and gives the answer as soon as its head is there. */
export function send(url: string, credentials: ApiCredentials, asked: ApiRequest): Promise<IncomingMessage> {
  const { method, path, body, agent = false, signal, headers: more } = asked;
  const { ca } = credentials;
  const own = 'token' in credentials ? {} : { cert: credentials.cert, key: credentials.key };
  const headers = {
    Accept: 'application/json',
    ...(body !== undefined && { 'Content-Type': method === 'POST' ? 'application/json' : 'application/merge-patch+json' }),
    ...('token' in credentials && { Authorization: `Bearer ${credentials.token}` }),
    ...more,
  };
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method, agent, signal, headers, ca, ...own }, resolve);
    sent.once('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The whole text of an answer. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of answer.setEncoding('utf8')) text += String(part);
  return text;
}

/** One connection that stays open, as clients keep theirs. */
export const keptConnection = (): Agent => new Agent({ keepAlive: true, maxSockets: 1 });
