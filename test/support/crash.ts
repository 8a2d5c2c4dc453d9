import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { NodeCommandName } from '../../lambdas/contract/node-commands';
import type { Values } from './node-script';
import { filledIn } from './node-script';

/** The programs by which the documents change what counts: between two of them no other change matters to whoever comes after. */
const CHANGING: Readonly<Record<string, string>> = { mv: 'true', rm: 'true', cp: 'true', aws: 'true', etcdutl: '[ "$2" = restore ]' };

/**
 * Runs a document and ends it with everything that it started, by SIGKILL, right before it would run a changing program for the
 * `step`th time. A later power cut than that is one before the next.
 *
 * @returns whether it came that far
 */
export async function killedAt(step: number, command: NodeCommandName, values: Values, env: Values, folder: string): Promise<boolean> {
  const bin = path.join(folder, 'crash');
  const count = path.join(folder, 'crash-count');
  mkdirSync(bin, { recursive: true });
  writeFileSync(count, '0');
  const folders = (env['PATH'] ?? '').split(':');
  for (const [program, counts] of Object.entries(CHANGING)) {
    const real = folders.map((each) => path.join(each, program)).find((file) => existsSync(file)) ?? program;
    const wrapper = path.join(bin, program);
    // `kill -9 0` is for the whole process group: the document's own.
    const counting = `n=$(($(<${count}) + 1)); printf %s $n >${count}; [ $n != ${step} ] || kill -9 0`;
    writeFileSync(wrapper, `#!/bin/bash\nif ${counts}; then ${counting}; fi\nexec ${real} "$@"\n`);
    chmodSync(wrapper, 0o755);
  }
  const child = spawn('/bin/bash', ['-c', filledIn(command, values)], {
    env: { ...env, PATH: `${bin}:${env['PATH'] ?? ''}` },
    detached: true,
    stdio: 'ignore',
  });
  const signal = await new Promise<NodeJS.Signals | null>((resolve) => child.once('close', (_code, by) => resolve(by)));
  return signal === 'SIGKILL' && Number(readFileSync(count, 'utf8')) === step;
}

/** How many steps there are to be killed at; runs the document to its end. */
export async function stepsOf(command: NodeCommandName, values: Values, env: Values, folder: string): Promise<number> {
  await killedAt(0, command, values, env, folder);
  return Number(readFileSync(path.join(folder, 'crash-count'), 'utf8'));
}

/** `every-fault`: at each step, which takes minutes. By default at some of them, other ones each time. */
export const EVERY = ['every-fault', 'every-node'].includes(process.env['LIFEBOAT_FAULTS'] ?? '');

/** The numbers of all steps, from 1. */
export const upTo = (steps: number): number[] => Array.from({ length: steps }, (_, index) => index + 1);

/** About `count` of the steps, from a beginning that is another one each time; all of them where every fault is asked for. */
export function someOf(steps: readonly number[], count: number): number[] {
  if (EVERY) return [...steps];
  if (count === 0) return [];
  const every = Math.ceil(steps.length / count);
  const from = Math.floor(Math.random() * every);
  return steps.filter((_, index) => index % every === from);
}
