import { ROTATION_STATES } from '../../lambdas/contract/authority-rotation';
import type { AuthorityName } from '../../lambdas/contract/certificate-names';
import { sleep } from '../../local/child-process';
import type { Narrator } from '../../local/narrator';
import { authorityChapters } from '../authority-chapters';
import type { Measured } from '../chapter';
import { turnedBack } from '../exchange-authority';
import { exchangedUnderClients, withClients } from '../exchange-under-clients';
import { judgeTraffic } from '../judge-clients';
import { loseAndReturn, returns } from '../lost-node';
import type { AtState } from '../run-exchange';
import type { World } from '../world';

/** While a node is away nothing that was wished for is done on it. */
const AWAY_MS = 40_000;

/** In every state one node after the other loses its power, and comes back; then one is away while somebody wants to turn back. */
export const lostNodeChapters = authorityChapters({
  name: 'exchange-lost-node',
  title: (authority) => `Nodes are lost while the ${authority} authority is exchanged`,
  steps: 2,
  tell,
});

async function tell(narrator: Narrator, world: World, authority: AuthorityName): Promise<Measured> {
  const [, , last] = world.nodes.nodes;
  // MINTED is left as soon as all nodes have told of their files.
  last?.slowDown(3);
  const lose = Object.fromEntries(
    ROTATION_STATES.map((state, index) => [
      state,
      async (run) => {
        last?.register({ prefix: [] });
        const node = world.nodes.nodes[(index + 1) % world.nodes.nodes.length];
        if (node !== undefined) await loseAndReturn(narrator, world, authority, node, run);
      },
    ]),
  ) satisfies AtState;
  const whole = await withClients(world, authority, (clients) =>
    exchangedUnderClients(narrator, world, authority, clients, {
      atState: lose,
      // What is on its way to a node that loses its power does not arrive.
      cut: { clients: 'any', traffic: 'few' },
      canarySeconds: 5,
    }),
  );
  const back = await turnedBackWithout(narrator, world, authority);
  return { whole, back };
}

/** Somebody wants to turn back while a node is away: that is noted at once, and done as far as it can be proven; the rest when the node is back. */
async function turnedBackWithout(narrator: Narrator, world: World, authority: AuthorityName): Promise<Measured> {
  const [, node] = world.nodes.nodes;
  if (node === undefined) throw new Error('there is no second node');
  const began = Date.now();
  const run = await turnedBack(narrator, world, { authority, in: 'ISSUING' }, async (underWay, ask) => {
    await node.powerOff();
    await ask();
    await sleep(AWAY_MS);
    narrator.check(`nothing is said to be turned back while ${node.name} is away`, await underWay.goesOn(), true);
    await returns(narrator, world, node);
  });
  const { requests, failures, slowestSeconds } = judgeTraffic(narrator, world.traffic, began, 'few');
  return { seconds: run.seconds, traffic: { requests, failures, slowestSeconds } };
}
