import { appendFileSync } from 'node:fs';
import { sleep } from '../local/child-process';
import type { ApiCredentials, ApiRequest } from './api-client';
import { keptConnection, send, textOf } from './api-client';

/** More than etcd takes to end with its API server attached (8 to 10 s): what a patient client waits. */
const WITHIN_MS = 20_000;
const EVERY_MS = 100;

export const TRAFFIC_NAMESPACE = 'traffic';
export const TRAFFIC_OBJECT = `/api/v1/namespaces/${TRAFFIC_NAMESPACE}/configmaps/counter`;

/** One request, never repeated. */
export interface Sent {
  readonly kind: 'read' | 'write';
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly ms: number;
  /** What went wrong; undefined for 200. */
  readonly failure?: string;
}

/** What clients saw of the API between two moments. */
export interface TrafficSummary {
  readonly requests: number;
  readonly failedRequests: number;
  /** The longest time without a good answer. */
  readonly downtimeSeconds: number;
  readonly slowestSeconds: number;
  readonly failures: Readonly<Record<string, number>>;
}

/** Clients that send all the time: one reads, each time by a new connection, and one writes by a connection that it keeps. */
export interface Traffic {
  readonly sent: readonly Sent[];
  /** From now on they trust and are somebody else: asked for each request. */
  use(credentials: () => ApiCredentials): void;
  since(at: number): TrafficSummary;
  stop(): Promise<void>;
}

export interface TrafficOptions {
  readonly url: string;
  readonly credentials: ApiCredentials;
  /** Gets a line for each request that failed. */
  readonly log: string;
}

export function startTraffic({ url, credentials, log }: TrafficOptions): Traffic {
  const sent: Sent[] = [];
  const ending = new AbortController();
  let current = (): ApiCredentials => credentials;
  const once = async (kind: Sent['kind'], asked: Omit<ApiRequest, 'signal'>): Promise<void> => {
    const at = Date.now();
    const failure = await failureOf(url, current(), asked, ending.signal);
    if (ending.signal.aborted) return;
    const one: Sent = { kind, at, ms: Date.now() - at, ...(failure !== undefined && { failure }) };
    sent.push(one);
    if (failure !== undefined) appendFileSync(log, `${JSON.stringify({ ...one, at: new Date(at).toISOString() })}\n`);
  };
  const loop = async (work: () => Promise<void>): Promise<void> => {
    while (!ending.signal.aborted) {
      await work();
      await sleep(EVERY_MS);
    }
  };
  const kept = keptConnection();
  let count = 0;
  const loops = [
    loop(() => once('read', { method: 'GET', path: TRAFFIC_OBJECT })),
    loop(() => once('write', { method: 'PATCH', path: TRAFFIC_OBJECT, body: { data: { count: String(++count) } }, agent: kept })),
  ];
  return {
    sent,
    use: (fresh) => {
      current = fresh;
    },
    since: (at) => summaryOf(sent.filter((each) => each.at >= at)),
    stop: async () => {
      ending.abort();
      await Promise.all(loops);
      kept.destroy();
    },
  };
}

/**
 * What went wrong with one request; undefined for 200, and for 201 of what it made.
 *
 * @param heard gets the text of a good answer
 */
export async function failureOf(
  url: string,
  credentials: ApiCredentials,
  asked: Omit<ApiRequest, 'signal'>,
  ending: AbortSignal,
  heard?: (text: string) => void,
): Promise<string | undefined> {
  const timeLimit = AbortSignal.timeout(WITHIN_MS);
  try {
    const answer = await send(url, credentials, { ...asked, signal: AbortSignal.any([ending, timeLimit]) });
    const text = await textOf(answer);
    if (answer.statusCode !== 200 && answer.statusCode !== 201) return `${answer.statusCode} ${reasonIn(text)}`.trim();
    heard?.(text);
    return undefined;
  } catch (error) {
    if (timeLimit.aborted) return `no answer within ${WITHIN_MS / 1000} s`;
    return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
  }
}

/** What the API names as the reason: `{"kind":"Status","reason":"NotFound",…}`. */
function reasonIn(text: string): string {
  return /"reason":\s*"(\w+)"/.exec(text)?.[1] ?? text.slice(0, 60).trim();
}

/** A gap counts from the end of one good answer to the end of the next. */
export function summaryOf(sent: readonly Sent[]): TrafficSummary {
  const failed = sent.filter(({ failure }) => failure !== undefined);
  const failures: Record<string, number> = {};
  for (const { failure = '' } of failed) failures[failure] = (failures[failure] ?? 0) + 1;
  const answered = sent
    .filter(({ failure }) => failure === undefined)
    .map(({ at, ms }) => at + ms)
    .sort((a, b) => a - b);
  const gaps = answered.slice(1).map((at, index) => at - (answered[index] ?? at));
  return {
    requests: sent.length,
    failedRequests: failed.length,
    downtimeSeconds: Math.max(0, ...gaps) / 1000,
    slowestSeconds: Math.max(0, ...sent.map(({ ms }) => ms)) / 1000,
    failures,
  };
}
