#!/usr/bin/env node
// Makes a fresh machine ready, then runs a command with the project's own tools:
//   node local/setup.mjs --for demo|test|bench|e2e|ci [-- <command> [arguments …]]
// Plain JavaScript without packages: it runs under the system's Node, before anything is installed.
// Everything it says goes to stderr, so the command's stdout stays its own.
import { parseArguments } from './setup/arguments.mjs';
import { locations } from './setup/locations.mjs';
import { checkPrerequisites } from './setup/prerequisites.mjs';
import { runSteps } from './setup/progress.mjs';
import { runCommand } from './setup/run-command.mjs';
import { SetupError } from './setup/setup-error.mjs';
import { stepsFor } from './setup/steps.mjs';

try {
  const { purpose, command } = parseArguments(process.argv.slice(2));
  const places = locations(process.env);
  const steps = stepsFor(purpose, places, process.env);
  await checkPrerequisites(steps, places);
  await runSteps(steps, process.stderr);
  if (command.length > 0) process.exitCode = await runCommand(command, places, steps);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`\n${error.message}\n`);
  process.exitCode = 1;
}
