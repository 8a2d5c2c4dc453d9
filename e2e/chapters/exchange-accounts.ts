import { sleep, waitUntil } from '../../local/child-process';
import type { Narrator } from '../../local/narrator';
import type { Chapter, Measured } from '../chapter';
import { exchanged, turnedBack } from '../exchange-authority';
import { keyOf, signsBy } from '../exchanged-accounts';
import { judgeClient, judgeShutOut, judgeTraffic } from '../judge-clients';
import type { SeenByClient } from '../judge-clients';
import { leadersRenew } from '../leases';
import { podToken } from '../outside-clients';
import { questionAbout } from '../people';
import { PREPARING_STEPS, withExchangeable } from '../prepare-exchange';
import { accountsOf, stations } from '../run-exchange';
import type { ExchangeRun, UnderWay } from '../run-exchange';
import { ASKS, HAS_NEW, HAS_NEWEST, HAS_OLD, NEVER_ENDS, legacyToken, refusalsOf, startTokenClients } from '../token-clients';
import type { TokenClients } from '../token-clients';
import { TRAFFIC_NAMESPACE } from '../traffic';
import { KEPT_NAMESPACE, deployment, podsAreScheduled } from '../workload';
import type { World } from '../world';

/** How long tokens by the other key are waited for: who asks all the time has others by then. */
const SOAK_SECONDS = 10;
/** What is asked after the end: so many requests of each client, about. */
const AFTERWARDS_MS = 3_000;
/** What began before the end of the last node may end after it. */
const SETTLED_MS = 500;
/** Three nodes get their keys one after the other, and two programs of each are started again. */
const SIGNED_WITHIN_MS = 900_000;
/** What restarts of API servers cut is not refused. */
const CUT = 'few';

const LEGACY = 'reader-for-ever';
const OTHER_LEGACY = 'reader-for-ever-too';

/** The key pair of service accounts is exchanged under tokens of every kind, and another exchange of it is turned back when the new key signs already. */
export const accountsChapter: Chapter = {
  name: 'exchange-accounts',
  title: 'The key pair of service accounts is exchanged, and pods go on',
  steps: PREPARING_STEPS + 4,
  tell: (narrator, world) =>
    withExchangeable(narrator, world, async () => ({
      whole: await withTokens(world, LEGACY, (clients) => whole(narrator, world, clients)),
      back: await withTokens(world, OTHER_LEGACY, (clients) => back(narrator, world, clients)),
    })),
};

async function withTokens(world: World, legacy: string, work: (clients: TokenClients) => Promise<Measured>): Promise<Measured> {
  const clients = await startTokenClients(world, legacy);
  try {
    return await work(clients);
  } finally {
    await clients.stop();
  }
}

/** To its end: who has a token from before gets in until his key is dropped, and not longer; who asks anew always does. */
async function whole(narrator: Narrator, world: World, clients: TokenClients): Promise<Measured> {
  const { kubectl } = world;
  const began = Date.now();
  const run = await exchanged(
    narrator,
    world,
    { authority: 'service-accounts', approval: 'ask', soakSeconds: SOAK_SECONDS },
    { SIGNING: (underWay) => approved(narrator, world, underWay) },
  );
  const ended = Date.now();
  await sleep(AFTERWARDS_MS);
  const until = Date.now();
  const { distrustBegan = ended } = run;
  const letIn = [
    ...[HAS_OLD, NEVER_ENDS].map((client) => judgeClient(narrator, clients, client, [[began, distrustBegan]], CUT)),
    ...[ASKS, HAS_NEWEST].map((client) => judgeClient(narrator, clients, client, [[began, until]], CUT)),
  ];
  const shutOut = [HAS_OLD, NEVER_ENDS].map((client) => judgeShutOut(narrator, clients, client, ended + SETTLED_MS));
  await narrator.run('make the token that never ends anew', async () => {
    await kubectl.run(['delete', 'secret', LEGACY, '--namespace', TRAFFIC_NAMESPACE]);
    const token = await legacyToken(kubectl, LEGACY);
    narrator.check('it is by the new key', keyOf(token), (await accountsOf(world)).issuing);
    narrator.check('API servers that refuse it', (await refusalsOf(world, token)).filter(Boolean).join(), '');
  });
  await narrator.run('a new deployment gets pods, and controllers renew their leases', async () => {
    await kubectl.apply([deployment(KEPT_NAMESPACE, 'made-after-the-exchange', 2)]);
    await podsAreScheduled(kubectl, KEPT_NAMESPACE, 'made-after-the-exchange', 2);
    await leadersRenew(kubectl);
  });
  return { ...measured(run, letIn, narrator, world, began), shutOut };
}

/** A person reads whose tokens end for ever, and approves all the same. */
async function approved(narrator: Narrator, world: World, { id, follow }: UnderWay): Promise<void> {
  const question = await questionAbout(world.people, id);
  const named = question.split('\n').find((line) => line.includes('the legacy token'));
  narrator.say(`      people are asked: ${named ?? question}`);
  narrator.check('they are told of the token that never ends', named?.includes(`${TRAFFIC_NAMESPACE}/${LEGACY} is by the old key`), true);
  const { rotation } = await accountsOf(world);
  narrator.check('the old key verifies until they answer', rotation?.id === id && rotation.state, 'SIGNING');
  const answer = await world.lifeboat.rotateCa?.start({ approve: id, by: 'e2e' });
  if (answer !== undefined) follow(answer);
}

/** Back from where the new key signs: tokens by the old one are good all the time, and those by the new one until it is taken out again. */
async function back(narrator: Narrator, world: World, clients: TokenClients): Promise<Measured> {
  const began = Date.now();
  let since = Infinity;
  const asked = { authority: 'service-accounts', in: 'SIGNING', approval: 'ask', soakSeconds: SOAK_SECONDS } as const;
  const run = await turnedBack(narrator, world, asked, async (_, ask) => {
    const { issuing } = await accountsOf(world);
    await waitUntil('every API server signs by the new key', SIGNED_WITHIN_MS, () => allSignBy(world, issuing), 1_000);
    const token = await podToken(world.kubectl);
    narrator.check('a token is by the new key', keyOf(token), issuing);
    clients.hasNew(token);
    since = Date.now();
    await ask();
  });
  const ended = Date.now();
  await sleep(AFTERWARDS_MS);
  const until = Date.now();
  const letIn = [
    ...[HAS_OLD, NEVER_ENDS, ASKS, HAS_NEWEST].map((client) => judgeClient(narrator, clients, client, [[began, until]], CUT)),
    judgeClient(narrator, clients, HAS_NEW, [[since, takenOut(run) ?? ended]], CUT),
  ];
  const shutOut = [judgeShutOut(narrator, clients, HAS_NEW, ended + SETTLED_MS)];
  return { ...measured(run, letIn, narrator, world, began), shutOut };
}

async function allSignBy({ eachApiserver }: World, key: string): Promise<boolean> {
  // One that is started again gives none.
  const keys = await Promise.all(eachApiserver.map(({ kubectl }) => signsBy(kubectl).catch(() => undefined)));
  return keys.every((each) => each === key);
}

/** When nothing had to verify by the new key any more. */
const takenOut = ({ path }: ExchangeRun): number | undefined => path.findLast(({ state }) => state === 'MINTED')?.at;

function measured(run: ExchangeRun, letIn: readonly SeenByClient[], narrator: Narrator, { traffic }: World, began: number): Measured {
  const { requests, failures, slowestSeconds } = judgeTraffic(narrator, traffic, began, CUT);
  return { seconds: run.seconds, stations: stations(run), clients: letIn, traffic: { requests, failures, slowestSeconds } };
}
