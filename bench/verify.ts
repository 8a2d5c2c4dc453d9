import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { buildSync } from 'esbuild';
import { z } from 'zod';
import { etcdProgram } from '../local/tools';
import { median } from './measure';
import { kubernetesSnapshot } from './verify-data';

const Status = z.object({ hash: z.number(), revision: z.number(), totalKey: z.number() });
const Report = z.object({
  problemCount: z.number(),
  statusHash: z.string(),
  lastEntryRevision: z.number(),
  totalKeys: z.number(),
  peakRssKiB: z.number(),
});

interface Run {
  readonly milliseconds: number;
  readonly facts: string;
  readonly peakRssKiB: number;
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(3)} s`;

function timed(command: string, args: readonly string[], read: (printed: string) => Omit<Run, 'milliseconds'>): Run {
  const start = performance.now();
  const printed = execFileSync(command, args, { encoding: 'utf8' });
  return { milliseconds: performance.now() - start, ...read(printed) };
}

/** The child as a Lambda bundle has it: one file, so that no loader is timed. */
function bundle(folder: string): string {
  const outfile = join(folder, 'verify-child.js');
  buildSync({ entryPoints: [join(__dirname, 'verify-child.ts')], bundle: true, minify: true, platform: 'node', target: 'node24', outfile });
  return outfile;
}

const ours = (child: string, file: string, mode: string): Run =>
  timed(process.execPath, [child, file, mode], (printed) => {
    const report = Report.parse(JSON.parse(printed));
    if (report.problemCount > 0) throw new Error(`${report.problemCount} problems were found in ${file}`);
    return { facts: `${report.statusHash} at ${report.lastEntryRevision} with ${report.totalKeys} keys`, peakRssKiB: report.peakRssKiB };
  });

const theirs = (etcdutl: string, file: string): Run =>
  timed(etcdutl, ['snapshot', 'status', file, '-w', 'json'], (printed) => {
    const status = Status.parse(JSON.parse(printed));
    return { facts: `${status.hash.toString(16).padStart(8, '0')} at ${status.revision} with ${status.totalKey} keys`, peakRssKiB: 0 };
  });

async function main(): Promise<void> {
  const { size, runs } = new Command('npm run bench:verify --')
    .description('Times the snapshot reader, as one bundled process, against etcdutl snapshot status, in turn.')
    .option('--size <MB>', 'size of the snapshot', Number, 500)
    .option('--runs <n>', 'measured rounds', Number, 3)
    .parse()
    .opts<{ size: number; runs: number }>();
  if (!(size >= 10) || !(runs >= 1)) throw new Error(`--size ${size} --runs ${runs}: give at least 10 MB and 1 run`);
  const { file, bytes } = await kubernetesSnapshot(size);
  console.log(`${file}: ${(bytes / 1e6).toFixed(0)} MB`);
  const temporary = mkdtempSync(join(tmpdir(), 'bench-verify-'));
  try {
    report(bundle(temporary), etcdProgram('3.6', 'etcdutl'), file, runs);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function report(child: string, etcdutl: string, file: string, runs: number): void {
  const [mine, full, etcd]: [Run[], Run[], Run[]] = [[], [], []];
  for (let i = 0; i < runs; i++) {
    mine.push(ours(child, file, 'status'));
    etcd.push(theirs(etcdutl, file));
    full.push(ours(child, file, 'full'));
  }
  const facts = new Set([...mine, ...etcd, ...full].map((run) => run.facts));
  if (facts.size !== 1) throw new Error(`the answers differ: ${[...facts].join(' and ')}`);
  const [a, b, c] = [mine, etcd, full].map((list) => median(list.map((run) => run.milliseconds)));
  if (a === undefined || b === undefined || c === undefined) throw new Error('nothing was run');
  const rss = Math.max(...[...mine, ...full].map((run) => run.peakRssKiB)) / 1024;
  console.log(`both say: ${[...facts].join('')}`);
  console.log(`structure, status hash and inventory: ${seconds(a)}; with HashKV: ${seconds(c)}; etcdutl snapshot status: ${seconds(b)}`);
  console.log(`peak RSS ${rss.toFixed(0)} MiB; medians of ${runs}`);
  console.log(JSON.stringify({ wallRatio: Number((a / b).toFixed(3)) }));
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
