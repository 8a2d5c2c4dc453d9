import type { Narrator } from '../../local/narrator';
import type { Chapter, Measured } from '../chapter';
import { turnedBack } from '../exchange-authority';
import { exchangedUnderClients, withClients } from '../exchange-under-clients';
import { judgeTraffic } from '../judge-clients';
import { PREPARING_STEPS, withExchangeable } from '../prepare-exchange';
import type { World } from '../world';

/** Longer than it takes to say that it is to be turned back. */
const CANARY_SECONDS = 40;

/** What proves the most by the minute: one authority to its end, and another one back from where the first member distrusts already. */
export const shortExchangeChapter: Chapter = {
  name: 'exchange-short',
  title: 'One authority is exchanged, and another one turned back',
  steps: PREPARING_STEPS + 2,
  tell: (narrator, world) => withExchangeable(narrator, world, () => tell(narrator, world)),
};

async function tell(narrator: Narrator, world: World): Promise<Measured> {
  const whole = await withClients(world, 'front-proxy', (clients) => exchangedUnderClients(narrator, world, 'front-proxy', clients));
  const began = Date.now();
  const { seconds } = await turnedBack(narrator, world, {
    ...{ authority: 'etcd', in: 'DISTRUST-CANARY', soakSeconds: 0, canarySeconds: CANARY_SECONDS },
  });
  const { requests, failures, slowestSeconds } = judgeTraffic(narrator, world.traffic, began, 'few');
  return { whole, back: { seconds, traffic: { requests, failures, slowestSeconds } } };
}
