// npm run demo: the whole product on this machine. See docs/local-cloud.md.
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { Narrator } from './narrator';
import { CERTIFICATE_STEPS, certificateTour } from './demo/certificate-tour';
import { DNS_STEPS, dnsTour } from './demo/dns-tour';
import { RESTORE_STEPS, restoreTour } from './demo/restore-tour';
import { tour } from './demo/tour';

function megabytes(text: string): number {
  const size = Number(text);
  if (!Number.isInteger(size) || size < 10 || size > 4000) throw new InvalidArgumentError('give whole megabytes from 10 to 4000.');
  return size;
}

const TOURS = {
  backup: { steps: 9, run: tour },
  restore: { steps: RESTORE_STEPS, run: restoreTour },
  certificates: { steps: CERTIFICATE_STEPS, run: certificateTour },
  dns: { steps: DNS_STEPS, run: dnsTour },
} as const;

interface DemoOptions {
  readonly tour: keyof typeof TOURS;
  readonly check: boolean;
  readonly size: number;
  readonly report?: string;
}

const options = new Command('npm run demo --')
  .description('Starts a local cloud and a three-member etcd, deploys the app, and shows what it does.')
  .addOption(new Option('--tour <name>', 'what is shown').choices(Object.keys(TOURS)).default('backup'))
  .option('--check', 'run once, check everything that is shown, and exit', false)
  .option('--size <MB>', 'size of the etcd database', megabytes, 100)
  .option('--report <file>', 'write the number of checks that passed and failed as JSON')
  .parse()
  .opts<DemoOptions>();

const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    process.stdout.write('\nstopping everything that was started …\n');
    stopped.abort();
  });
}

async function main(): Promise<void> {
  const { steps, run } = TOURS[options.tour];
  const narrator = new Narrator(steps);
  try {
    await run(narrator, { ...options, stopped: stopped.signal });
  } catch (error) {
    if (!stopped.signal.aborted) {
      narrator.failed++;
      narrator.say(`\n${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const { passed, failed } = narrator;
  narrator.say(`\n${passed} passed, ${failed} failed`);
  if (options.report !== undefined) writeFileSync(options.report, JSON.stringify({ passed, failed }));
  process.exitCode = failed === 0 ? 0 : 1;
}

void main();
