// npm run e2e: the product beside real Kubernetes, on this machine. See docs/local-cloud.md.
import { writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { Narrator } from '../local/narrator';
import type { Chapter, Measured } from './chapter';
import { exchangeChapter } from './chapters/exchange';
import { accountsChapter } from './chapters/exchange-accounts';
import { abortChapters } from './chapters/exchange-aborts';
import { compromiseChapter } from './chapters/exchange-compromise';
import { lostNodeChapters } from './chapters/exchange-lost-node';
import { olderEraChapter } from './chapters/exchange-older-era';
import { shortExchangeChapter } from './chapters/exchange-short';
import { thriceChapters } from './chapters/exchange-thrice';
import { repairChapter } from './chapters/repair';
import { restoreChapter } from './chapters/restore';
import { rollBackChapter } from './chapters/roll-back';
import { rotateChapter } from './chapters/rotate';
import { stay } from './stay';
import type { TrafficSummary } from './traffic';
import type { World, WorldOptions } from './world';
import { WORLD_STEPS, withWorld } from './world';

const ALWAYS: readonly Chapter[] = [restoreChapter, rollBackChapter, rotateChapter, repairChapter];
/** Ten minutes and more each: told when it is asked for. */
const NAMED: readonly Chapter[] = [
  shortExchangeChapter,
  exchangeChapter,
  accountsChapter,
  ...thriceChapters,
  ...abortChapters,
  ...lostNodeChapters,
  compromiseChapter,
  olderEraChapter,
];
const CHAPTERS: readonly Chapter[] = [...ALWAYS, ...NAMED];

interface E2eOptions extends WorldOptions {
  readonly chapters: readonly string[];
  readonly stay: boolean;
  readonly report?: string;
}

const namesOf = (chapters: readonly Chapter[]): string[] => chapters.map(({ name }) => name);
const options = new Command('npm run e2e --')
  .description('Runs real Kubernetes control planes beside a local cloud, and tells chapter by chapter what the app does to them.')
  .addOption(new Option('--chapters <names...>', 'which are told, in this order').choices(namesOf(CHAPTERS)).default(namesOf(ALWAYS)))
  .addOption(new Option('--etcd-servers <which>', 'which members an API server knows').choices(['own', 'all']).default('own'))
  .addOption(new Option('--balancer <kind>', 'what stands in front of them').choices(['own', 'haproxy']))
  .option('--wait-scale <factor>', 'by what the waits of state machines are multiplied: less where no time is measured', Number, 1)
  .option('--stay', 'leave everything running afterwards, until Ctrl-C', false)
  .option('--report <file>', 'write the last line to a file too')
  .parse()
  .opts<E2eOptions>();

const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopped.abort());
const whenStopped = new Promise<never>((_, reject) => {
  stopped.signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
});
// Before the first chapter nobody waits for it.
whenStopped.catch(() => undefined);

/** Grows while chapters are told, so that a failure leaves what was measured before it. */
interface Told {
  traffic?: TrafficSummary;
  readonly chapters: Record<string, Measured>;
}

async function tell(narrator: Narrator, world: World, told: Told, chapters: readonly Chapter[]): Promise<void> {
  try {
    for (const chapter of chapters) {
      narrator.title(chapter.title);
      told.chapters[chapter.name] = await Promise.race([chapter.tell(narrator, world), whenStopped]);
    }
  } catch (error) {
    narrator.failed++;
    narrator.say(`\n${error instanceof Error ? error.message : String(error)}`);
  }
  told.traffic = world.traffic.since(0);
  if (options.stay) await stay(narrator, world, stopped.signal);
}

async function main(): Promise<void> {
  const chapters = options.chapters.flatMap((name) => CHAPTERS.filter((each) => each.name === name));
  const narrator = new Narrator(WORLD_STEPS + chapters.reduce((sum, { steps }) => sum + steps, 0));
  narrator.title('kube-lifeboat beside real Kubernetes, here on your machine');
  const told: Told = { chapters: {} };
  try {
    await withWorld(narrator, options, (world) => tell(narrator, world, told, chapters));
  } catch (error) {
    narrator.failed++;
    narrator.say(`\n${error instanceof Error ? error.message : String(error)}`);
  }
  const { passed, failed, seconds } = narrator;
  const last = JSON.stringify({ passed, failed, ...told.traffic, seconds, chapters: told.chapters });
  if (options.report !== undefined) writeFileSync(options.report, last);
  narrator.say(`\n${passed} passed, ${failed} failed\n${last}`);
  // A chapter that was stopped in its middle may still wait for something.
  process.exit(failed === 0 ? 0 : 1);
}

void main();
