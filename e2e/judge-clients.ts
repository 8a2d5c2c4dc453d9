import type { AuthorityName } from '../lambdas/contract/certificate-names';
import type { Narrator } from '../local/narrator';
import { isRefusal } from './steady-clients';
import type { SteadyClients } from './steady-clients';
import type { Traffic, TrafficSummary } from './traffic';

/** Where API servers are started again with their members of etcd: of 7,061 requests 3 were cut when that was measured. */
const CUT_AT_MOST = 1 / 200;

/** Between two moments, milliseconds since the epoch. */
export type Span = readonly [from: number, until: number];

/** What one client saw, as it goes into the last line. */
export interface SeenByClient {
  readonly client: string;
  readonly requests: number;
  readonly refusals: number;
  readonly failures: Readonly<Record<string, number>>;
}

/** How many requests may fail without a refusal: of those who ask a member of etcd itself whatever is sent while it starts again. */
export type MayBeCut = 'none' | 'few' | 'any';
export const mayBeCut = (authority: AuthorityName): MayBeCut => (authority === 'etcd' ? 'any' : 'none');

/** No client is refused in the spans; what is cut is cut by a start. */
export function judgeClient<Name extends string>(
  narrator: Narrator,
  clients: Pick<SteadyClients<Name>, 'seenBy'>,
  client: Name,
  spans: readonly Span[],
  cut: MayBeCut,
): SeenByClient {
  const seen = spans.map(([from, until]) => clients.seenBy(client, from, until));
  const requests = sum(seen.map((each) => each.requests));
  const refusals = sum(seen.map((each) => each.refusals));
  const failed = sum(seen.map((each) => each.failedRequests));
  const failures = Object.assign({}, ...seen.map((each) => each.failures)) as Record<string, number>;
  narrator.check(
    `of ${requests} requests were refused to one ${client}${refusals > 0 ? ` (${JSON.stringify(failures)})` : ''}`,
    refusals,
    0,
  );
  judgeCut(narrator, requests, failed - refusals, failures, cut);
  return { client, requests, refusals, failures };
}

/** From a moment on nobody lets this client in. */
export function judgeShutOut<Name extends string>(
  narrator: Narrator,
  clients: Pick<SteadyClients<Name>, 'seenBy'>,
  client: Name,
  since: number,
): SeenByClient {
  const { requests, failedRequests, refusals, failures } = clients.seenBy(client, since);
  narrator.check(
    `one ${client} gets in nowhere any more (${JSON.stringify(failures)})`,
    requests > 0 && failedRequests === requests && refusals > 0,
    true,
  );
  return { client, requests, refusals, failures };
}

/** Who reads and writes through the balancer all the time. */
export function judgeTraffic(narrator: Narrator, traffic: Pick<Traffic, 'since'>, began: number, cut: MayBeCut): TrafficSummary {
  const seen = traffic.since(began);
  const refusals = Object.entries(seen.failures).flatMap(([failure, count]) => (isRefusal(failure) ? [count] : []));
  narrator.check(`of ${seen.requests} requests of the traffic were refused`, sum(refusals), 0);
  judgeCut(narrator, seen.requests, seen.failedRequests - sum(refusals), seen.failures, cut);
  return seen;
}

function judgeCut(narrator: Narrator, requests: number, cut: number, failures: object, may: MayBeCut): void {
  const which = cut === 0 ? '' : ` (${JSON.stringify(failures)})`;
  if (may === 'none') narrator.check(`were cut${which}`, cut, 0);
  else if (may === 'few') narrator.check(`few were cut: ${cut}${which}`, cut <= requests * CUT_AT_MOST, true);
  else narrator.say(`        ${cut} were cut${which}`);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0);
