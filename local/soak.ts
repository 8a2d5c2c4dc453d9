// npm run soak: many scheduled backups in little time, under a write load and faults. See docs/local-cloud.md.
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { Narrator } from './narrator';
import { soak } from './soak/run';
import { BALLAST_MB } from './soak/world';

const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const number = Number(text);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`give a whole number from ${least} to ${most}.`);
  };

const STEPS = 6;

interface CommandOptions {
  readonly backups: number;
  readonly seed: number;
  readonly size: number;
  readonly minutes: number;
  readonly report?: string;
}

const options = new Command('npm run soak --')
  .description('Takes many scheduled backups by an accelerated clock, under a write load and random faults, and checks what must hold.')
  .option('--backups <count>', 'how many slots of the schedule', whole(8, 2_000), 200)
  .option('--seed <number>', 'decides every random choice; a new one each time, unless it is given', whole(0, 2 ** 31))
  .option('--size <MB>', 'size of the etcd database', whole(BALLAST_MB + 2, 500), 16)
  .option('--minutes <count>', 'how long it may take', whole(1, 240), 10)
  .option('--report <file>', 'write the figures as JSON')
  .parse()
  .opts<Omit<CommandOptions, 'seed'> & { readonly seed?: number }>();

const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    process.stdout.write('\nstopping everything that was started …\n');
    stopped.abort();
  });
}

async function main(): Promise<void> {
  const narrator = new Narrator(STEPS);
  const { seed = Math.floor(Math.random() * 1e9), report, ...rest } = options;
  const figures = await soak(narrator, { ...rest, seed, stopped: stopped.signal }).catch((error: unknown) => {
    narrator.failed++;
    narrator.say(`\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return { seed };
  });
  const { passed, failed } = narrator;
  narrator.say(
    `\n${passed} passed, ${failed} failed; the same once more: npm run soak -- --backups ${rest.backups} --seed ${seed} --size ${rest.size}\n`,
  );
  const text = JSON.stringify({ passed, failed, ...figures });
  narrator.say(text);
  if (report !== undefined) writeFileSync(report, text);
  process.exitCode = failed === 0 ? 0 : 1;
}

void main();
