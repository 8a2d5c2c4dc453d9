import { z } from 'zod';
import type { AuthorityName, Exchangeable } from '../lambdas/contract/certificate-names';
import type { ExchangeRequest } from '../lambdas/contract/rotate-authority';
import { nameOf } from '../lambdas/exchange/tell';
import { isSignedBy } from '../lambdas/pki/signed-by';
import { waitUntil } from '../local/child-process';
import type { Narrator } from '../local/narrator';
import { checkAuthentication, checkCluster, checkMembers, signerOf } from './exchanged';
import { renewKubelet } from './kubelets';
import { checkAccounts } from './exchanged-accounts';
import { accountsOf, authorityOf, notedOf, runExchange, stations } from './run-exchange';
import type { AnyState, AtState, ExchangeRun, UnderWay } from './run-exchange';
import { checkTurnedBack } from './turned-back';
import type { World } from './world';

const HEARD_WITHIN_MS = 60_000;

type Asked = Partial<ExchangeRequest> & { readonly authority: Exchangeable };

const Told = z.object({ outcome: z.string(), summary: z.string() });
type Told = z.infer<typeof Told>;

const toldBy = ({ ends }: Pick<ExchangeRun, 'ends'>): Told[] =>
  ends.map(({ output, error, status, cause }) => Told.catch({ outcome: error ?? status, summary: cause ?? '' }).parse(output));

/** The end of an exchange, told by whichever execution drove it there. */
const endOf = (run: ExchangeRun): Told => {
  const told = toldBy(run);
  return told.find(({ outcome }) => outcome !== 'NOTED') ?? told[0] ?? { outcome: 'nothing', summary: '' };
};

/** Exchanges one authority or the key pair to its end, and looks at the ports afterwards. @throws when it ends otherwise */
export async function exchanged(narrator: Narrator, world: World, asked: Asked, atState: AtState = {}): Promise<ExchangeRun> {
  const { authority, mode = 'planned' } = asked;
  const what = `exchange ${nameOf(authority)}${mode === 'planned' ? '' : ` in mode ${mode}`}`;
  const run = await narrator.run(what, () => runExchange(narrator, world, asked, atState), stations);
  const { outcome, summary } = endOf(run);
  narrator.check(`the exchange of ${nameOf(authority)} ends`, outcome, 'EXCHANGED');
  if (outcome !== 'EXCHANGED') throw new Error(`the exchange of ${nameOf(authority)} ended as ${outcome}: ${summary}`);
  if (authority === 'service-accounts') await checkAccounts(narrator, world, await accountsOf(world));
  else await checkExchanged(narrator, world, authority, mode);
  return run;
}

async function checkExchanged(narrator: Narrator, world: World, authority: AuthorityName, mode: ExchangeRequest['mode']): Promise<void> {
  const next = signerOf(await authorityOf(world, authority));
  if (authority === 'front-proxy') await checkAuthentication(narrator, world, 'requestheader-client-ca-file', next);
  // The cross certificate goes with the end, or with the next set of each node.
  if (authority === 'etcd') await checkMembers(narrator, world, next, mode === 'planned' ? undefined : false);
  if (authority === 'cluster') {
    await checkCluster(narrator, world, next);
    await checkAuthentication(narrator, world, 'client-ca-file', next);
  }
}

/** What kubelets do of themselves while both roots are served. */
export async function renewWhileSoaking(narrator: Narrator, world: World): Promise<void> {
  const next = signerOf(await authorityOf(world, 'cluster'));
  for (const node of world.nodes.nodes) {
    const certificate = await renewKubelet(world, node);
    narrator.check(
      `the controller-manager signs for the kubelet of ${node.name} by the new root`,
      isSignedBy(certificate, next.cert),
      true,
    );
  }
}

/** Asks to turn back; the one who does so either is only heard, or goes on with it. */
export async function abort(world: World, { id, follow }: UnderWay): Promise<void> {
  const asked = await world.lifeboat.rotateCa?.start({ abort: id, by: 'e2e', because: 'somebody thought better of it' });
  if (asked !== undefined) follow(asked);
}

/** Does something around asking to turn back, while the execution goes on. */
export type AroundAbort = (run: UnderWay, ask: () => Promise<void>) => Promise<void>;

/** An exchange of which somebody thinks better in one state. What is to be as before is as before. */
export async function turnedBack(
  narrator: Narrator,
  world: World,
  { in: state, ...asked }: Asked & { readonly in: AnyState },
  around: AroundAbort = (_, ask) => ask(),
): Promise<ExchangeRun> {
  const { authority } = asked;
  const before = await notedOf(world, authority);
  let heardIn: AnyState | undefined;
  const turn = async (run: UnderWay): Promise<void> => {
    await around(run, async () => {
      await abort(world, run);
      heardIn = await whereHeard(world, authority);
    });
  };
  const what = `turn back from ${state} of ${nameOf(authority)}`;
  const run = await narrator.run(what, () => runExchange(narrator, world, asked, { [state]: turn }), stations);
  const outcomes = toldBy(run).map(({ outcome }) => outcome);
  const ends =
    outcomes.filter((each) => each === 'TURNED_BACK').length === 1 && outcomes.every((each) => /^(NOTED|TURNED_BACK)$/.test(each));
  narrator.check(`it is turned back once (${outcomes.join(', ')})`, ends, true);
  narrator.check('that was noted in', heardIn, state);
  await checkTurnedBack(narrator, world, before, await notedOf(world, authority), state !== 'MINTED');
  return run;
}

/** It is written down by the state machine, which takes a moment. */
async function whereHeard(world: World, authority: Exchangeable): Promise<AnyState | undefined> {
  let at: AnyState | undefined;
  await waitUntil(
    `it is noted that the exchange of ${nameOf(authority)} is to be turned back`,
    HEARD_WITHIN_MS,
    async () => {
      const { rotation } = await notedOf(world, authority);
      at = rotation?.state ?? at;
      return rotation?.abortRequested !== undefined || rotation === undefined;
    },
    50,
  );
  return at;
}
