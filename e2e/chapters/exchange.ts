import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { isSignedBy } from '../../lambdas/pki/signed-by';
import { sleep } from '../../local/child-process';
import { takeSnapshot } from '../../local/demo/first-steps';
import type { Narrator } from '../../local/narrator';
import { adopt } from '../adopted';
import type { Chapter, Measured } from '../chapter';
import { checkAuthentication, checkCluster, checkMembers, fileOf, followAuthorities, leadsTo, signerOf } from '../exchanged';
import { installKubelets, renewKubelet } from '../kubelets';
import { leadersRenew } from '../leases';
import { runDocument } from '../node-documents';
import { administratorOf, podToken, publishClusterInfo } from '../outside-clients';
import { authorityOf, runExchange } from '../run-exchange';
import type { AtState, ExchangeRun } from '../run-exchange';
import { startSteadyClients } from '../steady-clients';
import type { SteadyClients } from '../steady-clients';
import type { TrafficSummary } from '../traffic';
import { withReadyWorker } from '../worker-heart';
import type { World } from '../world';

const LEADERS_WITHIN_MS = 120_000;
/** What is asked after the end: so many requests of each client, about. */
const AFTERWARDS_MS = 3_000;
/** Each API server is started again with its member of etcd: of 7,061 requests 3 were cut then when that was measured. */
const CUT_AT_MOST = 1 / 200;
/** Longer than three kubelets need to renew their certificates. */
const CLUSTER_SOAK_SECONDS = 30;
/** Longer than it takes to say that it is to be turned back. */
const LONG_SOAK_SECONDS = 40;

const Told = z.object({ outcome: z.string(), summary: z.string() });
const SplitSigner = z.object({ was: z.string(), signer: z.object({ certFile: z.string() }) });

/** Who trusts the old root alone, who takes what the node has at each moment, and who is somebody by the old root. */
const CLIENTS = ['who trusts the old root alone', 'who reads admin.conf anew', 'who has an admin.conf of before'] as const;
type Client = (typeof CLIENTS)[number];
const [TRUSTS_OLD, FOLLOWS, IS_BY_OLD] = CLIENTS;

/** Every authority is exchanged by its next generation, under clients that never stop. */
export const exchangeChapter: Chapter = {
  name: 'exchange',
  title: 'Every authority is exchanged, and nobody notices',
  steps: 9,
  tell: (narrator, world) => withReadyWorker(world.kubectl, () => tell(narrator, world)),
};

async function tell(narrator: Narrator, world: World): Promise<Measured> {
  const { lifeboat, kubectl, balancer, nodes, traffic } = world;
  await publishClusterInfo(kubectl, balancer.url, nodes.authorities.cluster.cert);
  await narrator.run('kubelets renew their certificates', () => installKubelets(world));
  await adopt(narrator, world);
  await narrator.run('give the signers files of their own', () => splitSigners(world));
  await narrator.run(
    'take a snapshot',
    () => takeSnapshot(lifeboat),
    ({ id }) => id,
  );
  const began = Date.now();
  const clients = await startClients(world);
  try {
    const frontProxy = await exchanged(narrator, world, 'front-proxy');
    await checkAuthentication(narrator, world, 'requestheader-client-ca-file', signerOf(await authorityOf(world, 'front-proxy')));
    const old = nodes.authorities.cluster.cert;
    const cluster = await exchanged(narrator, world, 'cluster', whileClusterSoaks(narrator, world), CLUSTER_SOAK_SECONDS);
    const distrusted = cluster.states['DISTRUST-CANARY'] ?? Date.now();
    await sleep(AFTERWARDS_MS);
    const seen = nobodyNoticed(narrator, clients, began, distrusted);
    await checkOld(narrator, world, clients, old, Date.now() - AFTERWARDS_MS + 500);
    const next = signerOf(await authorityOf(world, 'cluster'));
    await checkCluster(narrator, world, next);
    await checkAuthentication(narrator, world, 'client-ca-file', next);
    const etcd = await exchanged(narrator, world, 'etcd');
    await checkMembers(narrator, world, signerOf(await authorityOf(world, 'etcd')), true);
    await followAuthorities(world);
    await narrator.run('controllers renew their leases', () => leadersRenew(kubectl, LEADERS_WITHIN_MS));
    const back = await turnedBack(narrator, world);
    const reader = clients.seenBy(FOLLOWS, began);
    narrator.check(`of ${reader.requests} requests until the end were refused to one ${FOLLOWS}`, reader.refusals, 0);
    const few = reader.failedRequests <= reader.requests * CUT_AT_MOST;
    narrator.check(`few were cut while API servers were started again: ${reader.failedRequests}${failuresOf(reader)}`, few, true);
    const { requests, failedRequests, slowestSeconds } = traffic.since(began);
    const seconds = { 'front-proxy': frontProxy.seconds, cluster: cluster.seconds, etcd: etcd.seconds, 'turned back': back.seconds };
    return {
      seconds,
      clients: [...seen, { client: FOLLOWS, ...reader }],
      traffic: { requests, failedRequests, slowestSeconds },
    } satisfies Measured;
  } finally {
    await clients.stop();
    world.cloud.clock.reset();
  }
}

async function splitSigners(world: World): Promise<void> {
  for (const node of world.nodes.nodes) {
    const { was, signer } = SplitSigner.parse(await runDocument(world, node, 'split-signer'));
    if (!signer.certFile.endsWith('/signer/ca.crt')) throw new Error(`${node.name} signs by ${signer.certFile}, and was ${was}`);
  }
}

async function startClients(world: World): Promise<SteadyClients<Client>> {
  const { kubectl, balancer, nodes, folder } = world;
  const [node] = nodes.nodes;
  if (node === undefined) throw new Error('there is no node');
  const old = nodes.authorities.cluster.cert;
  const token = await podToken(kubectl);
  const before = administratorOf(node);
  return startSteadyClients<Client>({
    url: balancer.url,
    clients: {
      'who trusts the old root alone': () => ({ ca: old, token }),
      'who reads admin.conf anew': () => administratorOf(node),
      // It trusts what there is to be trusted, so that only who it is can be refused.
      'who has an admin.conf of before': () => ({ ...before, ca: administratorOf(node).ca }),
    },
    log: `${folder}/failed-requests.jsonl`,
  });
}

async function exchanged(
  narrator: Narrator,
  world: World,
  authority: 'etcd' | 'front-proxy' | 'cluster',
  atState: AtState = {},
  soakSeconds = 0,
): Promise<ExchangeRun> {
  const run = await narrator.run(`exchange the ${authority} authority`, () =>
    runExchange(narrator, world, { authority, soakSeconds }, atState),
  );
  const { outcome, summary } = toldBy(run);
  narrator.check(`the exchange of the ${authority} authority ends`, outcome, 'EXCHANGED');
  if (outcome !== 'EXCHANGED') throw new Error(`the exchange of the ${authority} authority ended as ${outcome}: ${summary}`);
  return run;
}

const toldBy = ({ end }: Pick<ExchangeRun, 'end'>): z.infer<typeof Told> =>
  Told.catch({ outcome: end.error ?? end.status, summary: end.cause ?? '' }).parse(end.output);

/** What people and kubelets do of themselves while both roots are served. */
const whileClusterSoaks = (narrator: Narrator, world: World): AtState => ({
  SOAKING: async () => {
    const [first] = world.nodes.nodes;
    if (first !== undefined) world.traffic.use(administratorOf(first));
    const next = signerOf(await authorityOf(world, 'cluster'));
    for (const node of world.nodes.nodes) {
      const certificate = await renewKubelet(world, node);
      narrator.check(
        `the controller-manager signs for the kubelet of ${node.name} by the new root`,
        isSignedBy(certificate, next.cert),
        true,
      );
    }
  },
});

function nobodyNoticed(narrator: Narrator, clients: SteadyClients<Client>, from: number, until: number) {
  return CLIENTS.map((client) => {
    const seen = clients.seenBy(client, from, until);
    const { requests, failedRequests, refusals, slowestSeconds } = seen;
    narrator.check(`of ${requests} requests before the old root is distrusted were refused to one ${client}`, refusals, 0);
    narrator.check(`failed in any other way${failuresOf(seen)}`, failedRequests, 0);
    return { client, requests, failedRequests, refusals, slowestSeconds };
  });
}

const failuresOf = ({ failedRequests, failures }: TrafficSummary): string => (failedRequests === 0 ? '' : ` (${JSON.stringify(failures)})`);

/** Nobody is anybody by the old root any more. Who trusts it alone gets in as long as the cross certificate is served, which is until the next leaves. */
async function checkOld(
  narrator: Narrator,
  { balancer }: World,
  clients: SteadyClients<Client>,
  old: string,
  since: number,
): Promise<void> {
  const refused = clients.seenBy(IS_BY_OLD, since);
  narrator.check(`${IS_BY_OLD} is refused`, JSON.stringify(refused.failures), JSON.stringify({ '401 Unauthorized': refused.requests }));
  const trusting = clients.seenBy(TRUSTS_OLD, since);
  const accepted = await leadsTo(balancer.url, old);
  narrator.check(
    `${TRUSTS_OLD} is ${accepted ? 'still led to the new one' : 'led nowhere'}`,
    trusting.failedRequests,
    accepted ? 0 : trusting.requests,
  );
}

/** Another exchange, of which somebody thinks better while both roots are served. */
async function turnedBack(narrator: Narrator, world: World): Promise<ExchangeRun> {
  const before = await authorityOf(world, 'etcd');
  const abort: AtState = {
    SOAKING: async ({ name }) => {
      const asked = await world.lifeboat.rotateCa?.start({ abort: name, by: 'e2e', because: 'somebody thought better of it' });
      const end = await asked?.wait();
      narrator.check('the one who turns it back is heard', end && toldBy({ end }).outcome, 'NOTED');
    },
  };
  const run = await narrator.run('turn back from another exchange of etcd', () =>
    runExchange(narrator, world, { authority: 'etcd', soakSeconds: LONG_SOAK_SECONDS }, abort),
  );
  narrator.check('it ends', toldBy(run).outcome, 'TURNED_BACK');
  const after = await authorityOf(world, 'etcd');
  // Neither is shown: both hold the key.
  narrator.check('the authority is as before', isDeepStrictEqual(after, before), true);
  const signer = signerOf(before);
  await checkMembers(narrator, world, signer, false);
  const stray = world.nodes.nodes.filter((node) => !isSignedBy(fileOf(node, 'pki/apiserver-etcd-client.crt'), signer.cert));
  narrator.check('every API server is a client of etcd by it', stray.map(({ name }) => name).join(), '');
  return run;
}
