import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { SetupError } from './setup-error.mjs';

/** Runs the command with the project's tools first on PATH; signals and the exit code pass through. */
export function runCommand([command, ...args], places, steps) {
  const env = { ...process.env, ...Object.assign({}, ...steps.map((step) => step.environment ?? {})) };
  env.PATH = [path.join(places.nodeModules, '.bin'), ...steps.flatMap((step) => step.path ?? []), process.env.PATH].join(path.delimiter);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: 'inherit' });
    const forward = (signal) => {
      // A terminal sends Ctrl-C to the whole group, so the child has it already.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
    child.on('error', (error) => reject(new SetupError(`cannot run "${command}": ${error.message}`)));
    child.on('close', (code, signal) => resolve(code ?? 128 + os.constants.signals[signal]));
  });
}
