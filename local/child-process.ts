import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until the probe is true; gives up with the reason after the time limit. */
export async function waitUntil(what: string, timeoutMs: number, probe: () => Promise<boolean>, intervalMs = 50): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await probe())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await sleep(intervalMs);
  }
}

export const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** Asks a process to end and, after the grace time, ends it. Safe to repeat. */
export async function endProcess(child: ChildProcess, graceMs: number): Promise<void> {
  if (hasEnded(child)) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  // A stopped process (SIGSTOP) would never see the request.
  child.kill('SIGCONT');
  const killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await ended;
  clearTimeout(killer);
}

/** Ends a process at once and waits until it is gone. Safe to repeat. */
export async function killProcess(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  await ended;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Gets everything the command says. */
  readonly log: string;
  readonly timeoutMs: number;
}

/** The last lines of a log file, for an error message. */
export const tailOf = (log: string, lines = 25): string => readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');

/** Runs a command to its end with its output in a log file; throws with the end of that log when it fails or takes too long. */
export async function runCommand(command: string, args: readonly string[], options: CommandOptions): Promise<void> {
  const output = openSync(options.log, 'a');
  const child = spawn(command, args, { cwd: options.cwd, env: options.env, stdio: ['ignore', output, output] });
  closeSync(output);
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => clearTimeout(timer));
  if (code === 0) return;
  const failure = code === null ? `was ended, its time limit is ${options.timeoutMs} ms` : `failed with ${code}`;
  throw new Error(`\`${[command, ...args].join(' ')}\` ${failure}; ${options.log} says:\n${tailOf(options.log)}`);
}
