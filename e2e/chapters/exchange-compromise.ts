import { z } from 'zod';
import type { AuthorityName } from '../../lambdas/contract/certificate-names';
import { sleep } from '../../local/child-process';
import type { Narrator } from '../../local/narrator';
import { rotateNode } from '../../local/rotation';
import { FOLLOWS, IS_BY_OLD, TRUSTS_OLD, clientsOf } from '../authority-clients';
import type { AuthorityClients } from '../authority-clients';
import type { Chapter, Measured } from '../chapter';
import { exchanged } from '../exchange-authority';
import { withClients } from '../exchange-under-clients';
import { followAuthorities } from '../exchanged';
import { judgeClient, judgeShutOut } from '../judge-clients';
import { leadersRenew } from '../leases';
import { PREPARING_STEPS, withExchangeable } from '../prepare-exchange';
import { stations } from '../run-exchange';
import type { World } from '../world';

const AUTHORITIES: readonly AuthorityName[] = ['front-proxy', 'etcd', 'cluster'];
const AFTERWARDS_MS = 5_000;
const SETTLED_MS = 1_000;

const Planned = z.object({ outcome: z.literal('PLANNED'), plan: z.object({ downtime: z.string() }) });

/** Somebody else has the key of each authority: what it signed is refused as soon as can be, and the interruption is told before. */
export const compromiseChapter: Chapter = {
  name: 'exchange-compromise',
  title: 'Somebody else has the keys of the authorities',
  steps: PREPARING_STEPS + AUTHORITIES.length * 2 + 2,
  tell: (narrator, world) =>
    withExchangeable(narrator, world, async () => {
      // A plan changes nothing, and asks the API by the first set of a node.
      await narrator.run('give the nodes their first sets', () => rotateAll(world));
      const told: Record<string, Measured> = {};
      for (const authority of AUTHORITIES)
        told[authority] = await withClients(world, authority, (clients) => tell(narrator, world, authority, clients));
      await narrator.run('controllers renew their leases', () => leadersRenew(world.kubectl));
      return told;
    }),
};

async function tell(narrator: Narrator, world: World, authority: AuthorityName, clients: AuthorityClients): Promise<Measured> {
  const downtime = await narrator.run(
    `plan the exchange of the ${authority} authority`,
    () => planned(world, authority),
    (said) => said,
  );
  const began = Date.now();
  const run = await exchanged(narrator, world, { authority, mode: 'compromise' });
  const ended = Date.now();
  await sleep(AFTERWARDS_MS);
  const since = ended + SETTLED_MS;
  const follows = judgeClient(narrator, clients, FOLLOWS, [[since, Date.now()]], 'none');
  const shutOut = [IS_BY_OLD, TRUSTS_OLD]
    .filter((name) => clientsOf(authority).includes(name))
    .map((name) => judgeShutOut(narrator, clients, name, since));
  const { requests, failures, downtimeSeconds } = clients.seenBy(FOLLOWS, began, ended);
  narrator.say(`      ${downtimeSeconds.toFixed(1)} s without an answer for one ${FOLLOWS}: ${JSON.stringify(failures)} of ${requests}`);
  await followAuthorities(world);
  return { seconds: run.seconds, stations: stations(run), downtime, meanwhile: { requests, failures, downtimeSeconds }, follows, shutOut };
}

async function rotateAll({ cloud, lifeboat, nodes }: World): Promise<void> {
  for (const node of nodes.nodes) await rotateNode(cloud, lifeboat.cluster, node);
}

/** What the plan says that clients will notice. */
async function planned({ lifeboat }: World, authority: AuthorityName): Promise<string> {
  const execution = await lifeboat.rotateCa?.start({ authority, mode: 'compromise', plan: true, waitForNodesSeconds: 30 });
  const end = await execution?.wait({ timeoutMs: 120_000 });
  const { data } = Planned.safeParse(end?.output);
  if (data === undefined)
    throw new Error(`nothing is planned: ${end?.error ?? end?.status ?? ''} ${end?.cause ?? JSON.stringify(end?.output)}`);
  return data.plan.downtime;
}
