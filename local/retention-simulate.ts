// npm run retention:simulate -- --config lifeboat.json --days 90: what a policy keeps, before it is deployed.
import { Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../lib/config/load-config';
import { simulationText } from './retention/present';
import { minutesOfRate, simulateRetention } from './retention/simulate';

/** Every slot is a snapshot that is planned with all others: minutes and years together take too long to be of use. */
const MOST_DAYS = 3660;

function whole(most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (Number.isInteger(number) && number >= 1 && number <= most) return number;
    throw new InvalidArgumentError(`give a whole number from 1 to ${most}.`);
  };
}

const program: Command = new Command('retention:simulate')
  .description('Shows which snapshots there will be under the retention policy of a config, and why.')
  .option('-c, --config <file>', 'the config', 'lifeboat.json')
  .option('--cluster <name>', 'which cluster of the config; the first, unless it is given')
  .option('-d, --days <days>', 'how long the schedule has been running', whole(MOST_DAYS), 90)
  .option('--every <minutes>', 'minutes between snapshots; needed where the schedule is a cron expression', whole(1440 * 7))
  .parse();
const { config, cluster: name, days, every } = program.opts<{ config: string; cluster?: string; days: number; every?: number }>();

function main(): void {
  const { clusters } = loadConfig(config);
  const cluster = clusters.find((candidate) => name === undefined || candidate.name === name);
  if (cluster === undefined) {
    program.error(`error: ${config} has no cluster "${name ?? ''}"; it has ${clusters.map((each) => each.name).join(', ')}`);
  }
  const { schedule, retention: policy, lock } = cluster.backup;
  const everyMinutes = every ?? minutesOfRate(schedule);
  if (everyMinutes === undefined) program.error(`error: ${schedule} is no rate; say by --every how many minutes lie between two snapshots`);
  const end = new Date();
  const simulation = simulateRetention({ days, everyMinutes, policy, lock, end });
  console.log(simulationText(simulation, policy, lock, days, end));
}

try {
  main();
} catch (error) {
  program.error(error instanceof Error ? error.message : String(error));
}
