import type { AuthorityName } from '../../lambdas/contract/certificate-names';
import type { Narrator } from '../../local/narrator';
import type { Chapter, Measured } from '../chapter';
import { turnedBack } from '../exchange-authority';
import { exchangedUnderClients, withClients } from '../exchange-under-clients';
import { judgeTraffic } from '../judge-clients';
import { leadersRenew } from '../leases';
import { PREPARING_STEPS, withExchangeable } from '../prepare-exchange';
import type { World } from '../world';

/** Longer than it takes to say that it is to be turned back. */
const LONG_SOAK_SECONDS = 40;

/** In the order of the operator runbook. */
const AUTHORITIES: readonly AuthorityName[] = ['front-proxy', 'cluster', 'etcd'];

/** Every authority is exchanged by its next generation, under clients that never stop. */
export const exchangeChapter: Chapter = {
  name: 'exchange',
  title: 'Every authority is exchanged, and nobody notices',
  steps: PREPARING_STEPS + AUTHORITIES.length + 2,
  tell: (narrator, world) => withExchangeable(narrator, world, () => tell(narrator, world)),
};

async function tell(narrator: Narrator, world: World): Promise<Measured> {
  const told: Record<string, Measured> = {};
  for (const authority of AUTHORITIES)
    told[authority] = await withClients(world, authority, (clients) => exchangedUnderClients(narrator, world, authority, clients));
  await narrator.run('controllers renew their leases', () => leadersRenew(world.kubectl));
  const began = Date.now();
  const { seconds } = await turnedBack(narrator, world, { authority: 'etcd', in: 'SOAKING', soakSeconds: LONG_SOAK_SECONDS });
  const { requests, failures, slowestSeconds } = judgeTraffic(narrator, world.traffic, began, 'few');
  return { ...told, 'turned back': { seconds, traffic: { requests, failures, slowestSeconds } } } satisfies Measured;
}
