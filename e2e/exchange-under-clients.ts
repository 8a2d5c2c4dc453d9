import type { AuthorityName } from '../lambdas/contract/certificate-names';
import type { ExchangeRequest } from '../lambdas/contract/rotate-authority';
import { sleep } from '../local/child-process';
import type { Narrator } from '../local/narrator';
import { IS_BY_OLD, TRUSTS_OLD, clientsOf, startAuthorityClients } from './authority-clients';
import type { AuthorityClients, ClientName } from './authority-clients';
import type { Measured } from './chapter';
import { exchanged, renewWhileSoaking } from './exchange-authority';
import { followAuthorities, leadsTo } from './exchanged';
import { judgeClient, judgeShutOut, judgeTraffic, mayBeCut } from './judge-clients';
import type { MayBeCut, SeenByClient } from './judge-clients';
import { stations } from './run-exchange';
import type { AtState } from './run-exchange';
import type { World } from './world';

/** What is asked after the end: so many requests of each client, about. */
const AFTERWARDS_MS = 3_000;
/** What began before the end of the last node may end after it. */
const SETTLED_MS = 500;
/** About what three kubelets need to renew their certificates. */
const CLUSTER_SOAK_SECONDS = 10;

const BY_OLD: readonly ClientName[] = [IS_BY_OLD, TRUSTS_OLD];

/** Lets `work` have clients of an authority that never stop. @param names @default - all who say something about it */
export async function withClients<T>(
  world: World,
  authority: AuthorityName,
  work: (clients: AuthorityClients) => Promise<T>,
  names: readonly ClientName[] = clientsOf(authority),
): Promise<T> {
  const clients = await startAuthorityClients(world, authority, names);
  try {
    return await work(clients);
  } finally {
    await clients.stop();
  }
}

export interface UnderClients extends Partial<Omit<ExchangeRequest, 'authority'>> {
  readonly atState?: AtState;
  /** @default - what the starts of the authority's exchange cut */
  readonly cut?: { readonly clients: MayBeCut; readonly traffic: MayBeCut };
}

/**
 * Exchanges one authority under its clients: nobody is refused before the old root is distrusted, and afterwards nobody but who is somebody by it;
 * who trusts it alone is led to the new one for as long as the cross certificate is served.
 */
export async function exchangedUnderClients(
  narrator: Narrator,
  world: World,
  authority: AuthorityName,
  clients: AuthorityClients,
  { atState = {}, cut, ...asked }: UnderClients = {},
): Promise<Measured> {
  await clients.begin();
  const began = Date.now();
  const soakSeconds = authority === 'cluster' ? CLUSTER_SOAK_SECONDS : 0;
  const run = await exchanged(
    narrator,
    world,
    { authority, soakSeconds, ...asked },
    {
      ...atState,
      MINTED: async (underWay) => {
        await clients.minted();
        await atState.MINTED?.(underWay);
      },
      SOAKING: async (underWay) => {
        clients.served();
        if (authority === 'cluster') await renewWhileSoaking(narrator, world);
        await atState.SOAKING?.(underWay);
      },
    },
  );
  const ended = Date.now();
  await sleep(AFTERWARDS_MS);
  const until = Date.now();
  const { distrustBegan = ended } = run;
  const may = cut ?? { clients: mayBeCut(authority), traffic: authority === 'etcd' ? 'few' : 'none' };
  const seen = clientsOf(authority).map((client) =>
    judgeClient(narrator, clients, client, [[began, BY_OLD.includes(client) ? distrustBegan : until]], may.clients),
  );
  const after = judgeShutOut(narrator, clients, IS_BY_OLD, ended + SETTLED_MS);
  const trusting = clientsOf(authority).includes(TRUSTS_OLD)
    ? [await judgeTrusting(narrator, world, authority, clients, ended + SETTLED_MS)]
    : [];
  const { requests, failures, slowestSeconds } = judgeTraffic(narrator, world.traffic, began, may.traffic);
  await followAuthorities(world);
  return {
    seconds: run.seconds,
    stations: stations(run),
    clients: seen,
    afterwards: [after, ...trusting],
    traffic: { requests, failures, slowestSeconds },
  };
}

/** Who trusts the old root alone goes on for as long as it is led to the new one by what is served, and not longer. */
async function judgeTrusting(
  narrator: Narrator,
  { balancer, nodes }: World,
  authority: AuthorityName,
  clients: AuthorityClients,
  since: number,
): Promise<SeenByClient> {
  const url = authority === 'etcd' ? (nodes.nodes[0]?.clientUrl ?? '') : balancer.url;
  const led = await leadsTo(url, clients.old);
  narrator.say(`      the cross certificate is ${led ? 'still' : 'not'} served`);
  return led
    ? judgeClient(narrator, clients, TRUSTS_OLD, [[since, Date.now()]], mayBeCut(authority))
    : judgeShutOut(narrator, clients, TRUSTS_OLD, since);
}
