import { execFile } from 'node:child_process';
import { z } from 'zod';
import { NodeCommands, NodeFailure } from '../../lambdas/contract/node-commands';
import { NodeParameters } from '../../lambdas/contract/node-parameters';
import type { NodeCommandName } from '../../lambdas/contract/node-commands';
import type { NodeParameter } from '../../lambdas/contract/node-parameters';
import { nodeScript } from '../../lib/nodes/node-script';

export type Values = Readonly<Record<string, string>>;

/** The shell script of a document with its parameters filled in, as Systems Manager does it. */
export function filledIn(command: NodeCommandName, values: Values): string {
  const parameters: Readonly<Record<string, NodeParameter>> = NodeParameters;
  return nodeScript(command)
    .join('\n')
    .replaceAll(/\{\{ (\w+) \}\}/g, (_, name: string) => {
      const value = values[name] ?? parameters[name]?.default;
      if (value === undefined) throw new Error(`${command} needs ${name}`);
      return value;
    });
}

export interface Outcome {
  readonly code: number | string | null;
  /** The last line of stdout; undefined when it is no result. */
  readonly result: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a document by bash, without Systems Manager. */
export function runScript(command: NodeCommandName, values: Values, env: Values): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile('/bin/bash', ['-c', filledIn(command, values)], { env, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? null), result: resultOf(stdout), stdout, stderr });
    });
  });
}

function resultOf(stdout: string): unknown {
  try {
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  } catch {
    return undefined;
  }
}

const Succeeded = z.object({ ok: z.literal(true) });

/** The result of a document that must succeed, of the shape that the contract says. */
export function succeeded<C extends NodeCommandName>(command: C, outcome: Outcome): z.infer<(typeof NodeCommands)[C]['result']> {
  if (outcome.code !== 0) throw new Error(`${command} ended with ${outcome.code}: ${outcome.stdout}\n${outcome.stderr}`);
  Succeeded.parse(outcome.result);
  return NodeCommands[command].result.parse(outcome.result) as z.infer<(typeof NodeCommands)[C]['result']>;
}

/** The failure that a document must report. */
export function failure(outcome: Outcome): z.infer<typeof NodeFailure> & { readonly code: Outcome['code'] } {
  return { ...NodeFailure.parse(outcome.result), code: outcome.code };
}
