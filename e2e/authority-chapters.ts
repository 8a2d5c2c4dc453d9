import type { AuthorityName } from '../lambdas/contract/certificate-names';
import type { Narrator } from '../local/narrator';
import type { Chapter, Measured } from './chapter';
import { PREPARING_STEPS, withExchangeable } from './prepare-exchange';
import type { World } from './world';

export interface AuthorityChapter {
  /** Of the one for the cluster's authority; the names of the others end in that of the authority. */
  readonly name: string;
  readonly title: (authority: AuthorityName) => string;
  /** How many steps it tells, beside those that prepare the world. */
  readonly steps: number;
  readonly tell: (narrator: Narrator, world: World, authority: AuthorityName) => Promise<Measured>;
}

const AUTHORITIES: readonly AuthorityName[] = ['cluster', 'etcd', 'front-proxy'];

/** The same story of each authority, as chapters of their own. */
export const authorityChapters = ({ name, title, steps, tell }: AuthorityChapter): readonly Chapter[] =>
  AUTHORITIES.map((authority) => ({
    name: authority === 'cluster' ? name : `${name}-${authority}`,
    title: title(authority),
    steps: PREPARING_STEPS + steps,
    tell: (narrator, world) => withExchangeable(narrator, world, () => tell(narrator, world, authority)),
  }));
