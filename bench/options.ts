import { Command } from 'commander';

export interface BenchOptions {
  /** MB of the etcd database. */
  readonly size: number;
  /** Measured rounds. */
  readonly runs: number;
}

/** The options of a bench, from its command line. @throws Error naming those that measure nothing */
export function benchOptions(name: string, about: string): BenchOptions {
  const { size, runs } = new Command(`npm run ${name} --`)
    .description(about)
    .option('--size <MB>', 'size of the etcd database', Number, 500)
    .option('--runs <n>', 'measured rounds', Number, 3)
    .parse()
    .opts<BenchOptions>();
  if (!(size >= 10) || !(runs >= 1)) throw new Error(`--size ${size} --runs ${runs}: give at least 10 MB and 1 run`);
  return { size, runs };
}
