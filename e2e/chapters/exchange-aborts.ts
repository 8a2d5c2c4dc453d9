import { ROTATION_STATES } from '../../lambdas/contract/authority-rotation';
import type { RotationState } from '../../lambdas/contract/authority-rotation';
import type { AuthorityName } from '../../lambdas/contract/certificate-names';
import type { Narrator } from '../../local/narrator';
import { authorityChapters } from '../authority-chapters';
import { FOLLOWS, IS_BY_OLD, TRUSTS_OLD, clientsOf } from '../authority-clients';
import type { ClientName } from '../authority-clients';
import type { Measured } from '../chapter';
import { turnedBack } from '../exchange-authority';
import { exchangedUnderClients, withClients } from '../exchange-under-clients';
import { judgeClient, judgeTraffic, mayBeCut } from '../judge-clients';
import type { Span } from '../judge-clients';
import { stations } from '../run-exchange';
import type { ExchangeRun } from '../run-exchange';
import type { World } from '../world';

/** Longer than it takes to say that it is to be turned back. */
const LONG_SECONDS = 40;
/** On the way back from distrust it is waited for as long as at first. */
const SHORT_SECONDS = 3;
/** Nothing is done in MINTED but that nodes are asked: by so much later one of them answers. */
const SLOW_SECONDS = 5;

/** Who says something about a way back: nobody serves by the new root alone on it. */
const namesFor = (authority: AuthorityName): readonly ClientName[] =>
  [TRUSTS_OLD, IS_BY_OLD, FOLLOWS].filter((name) => clientsOf(authority).includes(name));

/** In every state somebody thinks better of it, and after that it is exchanged all the same. */
export const abortChapters = authorityChapters({
  name: 'exchange-aborts',
  title: (authority) => `The exchange of the ${authority} authority is turned back in every state`,
  steps: ROTATION_STATES.length + 1,
  tell,
});

async function tell(narrator: Narrator, world: World, authority: AuthorityName): Promise<Measured> {
  const clients = namesFor(authority);
  const turned: Record<string, unknown> = {};
  // The longest way back first.
  for (const state of [...ROTATION_STATES].reverse())
    turned[state] = await withClients(world, authority, (each) => aborted(narrator, world, authority, state, each), clients);
  const whole = await withClients(world, authority, (each) => exchangedUnderClients(narrator, world, authority, each));
  return { turned, whole };
}

async function aborted(
  narrator: Narrator,
  world: World,
  authority: AuthorityName,
  state: RotationState,
  clients: Parameters<typeof judgeClient>[1],
): Promise<Measured> {
  const began = Date.now();
  const [, , last] = world.nodes.nodes;
  if (state === 'MINTED') last?.slowDown(SLOW_SECONDS);
  const run = await turnedBack(narrator, world, {
    authority,
    in: state,
    soakSeconds: state === 'SOAKING' ? LONG_SECONDS : SHORT_SECONDS,
    canarySeconds: state === 'DISTRUST-CANARY' ? LONG_SECONDS : 0,
  });
  if (state === 'MINTED') last?.register({ prefix: [] });
  const until = Date.now();
  const seen = namesFor(authority).map((name) =>
    judgeClient(narrator, clients, name, name === IS_BY_OLD ? trustedSpans(run, began, until) : [[began, until]], mayBeCut(authority)),
  );
  const { requests, failures, slowestSeconds } = judgeTraffic(narrator, world.traffic, began, authority === 'etcd' ? 'few' : 'none');
  return { seconds: run.seconds, stations: stations(run), clients: seen, traffic: { requests, failures, slowestSeconds } };
}

/** Without the time from when somebody distrusts the old root until it is proven that all trust it again, which is when SOAKING is left for ISSUING. */
function trustedSpans({ path }: ExchangeRun, began: number, until: number): readonly Span[] {
  const distrusted = path.findIndex(({ state }) => state === 'DISTRUST-CANARY');
  if (distrusted < 0) return [[began, until]];
  const back = path.slice(distrusted).find(({ state }) => state === 'ISSUING');
  return [
    [began, path[distrusted]?.at ?? until],
    [back?.at ?? until, until],
  ];
}
