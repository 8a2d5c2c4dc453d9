import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** First output of a short command, or undefined when it is missing, fails or hangs. */
export function answerOf(command, args, options = {}) {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 20_000, ...options }, (error, stdout, stderr) => {
      resolve(error ? undefined : `${stdout}${stderr}`.trim());
    });
  });
}

/** Runs a long command with its whole output in a log file, and tells whether it succeeded. */
export async function runLogged(command, args, { log, ...options }) {
  fs.mkdirSync(path.dirname(log), { recursive: true });
  const output = fs.openSync(log, 'a');
  fs.writeSync(output, `\n$ ${[command, ...args].join(' ')}\n`);
  try {
    return await new Promise((resolve) => {
      const child = spawn(command, args, { ...options, stdio: ['ignore', output, output] });
      child.on('error', (error) => {
        fs.writeSync(output, `${error.message}\n`);
        resolve(false);
      });
      child.on('close', (code) => resolve(code === 0));
    });
  } finally {
    fs.closeSync(output);
  }
}

/** The last lines of a log: usually enough to see what went wrong. */
export function tailOf(log, lines = 8) {
  const text = fs.existsSync(log) ? fs.readFileSync(log, 'utf8').trimEnd() : '';
  return text
    .split('\n')
    .slice(-lines)
    .map((line) => `    ${line}`)
    .join('\n');
}
