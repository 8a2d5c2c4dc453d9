import type { AuthorityName } from '../../lambdas/contract/certificate-names';
import type { Narrator } from '../../local/narrator';
import { authorityChapters } from '../authority-chapters';
import type { Measured } from '../chapter';
import { exchangedUnderClients, withClients } from '../exchange-under-clients';
import { leadersRenew } from '../leases';
import type { World } from '../world';

const ROUNDS = 3;

/** One authority three times in a row, under clients each of which begins anew with what is the present root by then. */
export const thriceChapters = authorityChapters({
  name: 'exchange-thrice',
  title: (authority) => `The ${authority} authority is exchanged three times in a row`,
  steps: ROUNDS + 1,
  tell,
});

async function tell(narrator: Narrator, world: World, authority: AuthorityName): Promise<Measured> {
  const rounds: Measured[] = [];
  await withClients(world, authority, async (clients) => {
    for (let round = 1; round <= ROUNDS; round++) rounds.push(await exchangedUnderClients(narrator, world, authority, clients));
  });
  await narrator.run('controllers renew their leases', () => leadersRenew(world.kubectl));
  return { rounds };
}
