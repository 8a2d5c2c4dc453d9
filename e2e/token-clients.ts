import { z } from 'zod';
import { waitUntil } from '../local/child-process';
import type { Kubectl } from '../local/kubectl';
import type { ApiCredentials } from './api-client';
import { READER, administratorOf, podToken } from './outside-clients';
import { startSteadyClients } from './steady-clients';
import type { SteadyClients, SteadyRequest } from './steady-clients';
import { TRAFFIC_NAMESPACE, TRAFFIC_OBJECT, failureOf } from './traffic';
import type { World } from './world';

const MADE_WITHIN_MS = 60_000;
const LEGACY_TYPE = 'kubernetes.io/service-account-token';
const TOKENS = `/api/v1/namespaces/${TRAFFIC_NAMESPACE}/serviceaccounts/${READER}/token`;
const TokenRequest = z.object({ status: z.object({ token: z.string() }) });
const Secret = z.object({ data: z.object({ token: z.string().optional() }).default({}) });

export const HAS_OLD = 'who has a token from before' as const;
export const NEVER_ENDS = 'who has a token from before that never ends' as const;
export const ASKS = 'who asks for tokens' as const;
export const HAS_NEWEST = 'who has the newest of them' as const;
export const HAS_NEW = 'who has a token by the new key' as const;
export type TokenClientName = typeof HAS_OLD | typeof NEVER_ENDS | typeof ASKS | typeof HAS_NEWEST | typeof HAS_NEW;

/** Clients that are somebody by a token of a service account. */
export interface TokenClients extends Pick<SteadyClients<TokenClientName>, 'seenBy' | 'stop'> {
  /** From now on one of them has this token, by the new key; until then he has one from before. */
  hasNew(token: string): void;
}

/** Starts them, through the balancer, with a token that never ends out of the Secret of this name. */
export async function startTokenClients(world: World, legacySecret: string): Promise<TokenClients> {
  const { kubectl, balancer, nodes, folder } = world;
  const [node] = nodes.nodes;
  if (node === undefined) throw new Error('there is no node');
  const trusted = (): string => administratorOf(node).ca;
  const old = await podToken(kubectl);
  const legacy = await legacyToken(kubectl, legacySecret);
  let [newest, byNew] = [old, old];
  const reads = (token: string): SteadyRequest => ({ url: balancer.url, path: TRAFFIC_OBJECT, credentials: { ca: trusted(), token } });
  const asks = (credentials: ApiCredentials): SteadyRequest => ({
    url: balancer.url,
    path: TOKENS,
    credentials,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3_600 } },
    heard: (text) => {
      newest = TokenRequest.parse(JSON.parse(text)).status.token;
    },
  });
  const steady = startSteadyClients<TokenClientName>({
    clients: {
      [HAS_OLD]: () => reads(old),
      [NEVER_ENDS]: () => reads(legacy),
      [ASKS]: () => asks(administratorOf(node)),
      [HAS_NEWEST]: () => reads(newest),
      [HAS_NEW]: () => reads(byNew),
    },
    log: `${folder}/failed-requests.jsonl`,
  });
  return {
    ...steady,
    hasNew: (token) => {
      byNew = token;
    },
  };
}

/** Makes the Secret of a token that never ends for who reads what the traffic is about, and waits until the controller-manager has put it there. */
export async function legacyToken(kubectl: Kubectl, name: string): Promise<string> {
  const metadata = { namespace: TRAFFIC_NAMESPACE, name, annotations: { 'kubernetes.io/service-account.name': READER } };
  await kubectl.apply([{ apiVersion: 'v1', kind: 'Secret', type: LEGACY_TYPE, metadata }]);
  let token = '';
  await waitUntil(
    `the Secret ${name} has a token`,
    MADE_WITHIN_MS,
    async () => {
      const { data } = Secret.parse(await kubectl.json(['get', 'secret', name, '--namespace', TRAFFIC_NAMESPACE]));
      token = Buffer.from(data.token ?? '', 'base64').toString('utf8');
      return token !== '';
    },
    300,
  );
  return token;
}

/** What each API server says to who comes with a token; empty where it lets him read. */
export async function refusalsOf({ nodes }: World, token: string): Promise<readonly string[]> {
  const { signal } = new AbortController();
  const [first] = nodes.nodes;
  if (first === undefined) throw new Error('there is no node');
  const { ca } = administratorOf(first);
  return Promise.all(
    nodes.nodes.map(async ({ apiUrl }) => (await failureOf(apiUrl, { ca, token }, { method: 'GET', path: TRAFFIC_OBJECT }, signal)) ?? ''),
  );
}
