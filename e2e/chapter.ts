import type { Narrator } from '../local/narrator';
import type { World } from './world';

/** What one chapter measured, as it goes into the last line. */
export type Measured = Readonly<Record<string, unknown>>;

/** One story about one world. A chapter leaves the world as well as it found it: others may follow. */
export interface Chapter {
  /** As `--chapters` names it. */
  readonly name: string;
  readonly title: string;
  /** How many steps it tells. */
  readonly steps: number;
  tell(narrator: Narrator, world: World): Promise<Measured>;
}
