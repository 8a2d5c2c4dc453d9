import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { EtcdCredentials } from '../local/etcd/member';

/** PEM texts by which a client reaches the API: the authority that it trusts, and who it is. */
export type ApiCredentials = EtcdCredentials;

export interface ApiRequest {
  readonly method: 'GET' | 'PATCH';
  readonly path: string;
  readonly body?: object;
  /** The connections that it may use. @default - a new one for this request alone */
  readonly agent?: Agent;
  readonly signal: AbortSignal;
}

/** Sends one request, verifies who answers, and gives the answer as soon as its head is there. */
export function send(url: string, { ca, cert, key }: ApiCredentials, asked: ApiRequest): Promise<IncomingMessage> {
  const { method, path, body, agent = false, signal } = asked;
  const headers = { Accept: 'application/json', ...(body !== undefined && { 'Content-Type': 'application/merge-patch+json' }) };
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method, agent, signal, headers, ca, cert, key }, resolve);
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
