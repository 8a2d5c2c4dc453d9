import { clearInterval, setInterval } from 'node:timers';

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const HEARTBEAT_MS = 10_000;

/** Does what is still to do, in order, one line each; a single line when there is nothing to do. */
export async function runSteps(steps, output) {
  const begin = performance.now();
  const done = await Promise.all(steps.map((step) => step.isDone()));
  if (done.every(Boolean)) {
    output.write(`set-up: everything already there (${seconds(begin)})\n`);
    return;
  }
  for (const [index, step] of steps.entries()) {
    output.write(`[${index + 1}/${steps.length}] ${step.name} … `);
    // Asked again: a step before this one may have changed the answer.
    if (await step.isDone()) output.write('already there\n');
    else await runStep(step, output);
  }
}

async function runStep(step, output) {
  const begin = performance.now();
  const heartbeat = setInterval(() => output.write(`${seconds(begin)} … `), HEARTBEAT_MS);
  try {
    await step.run();
    output.write(`done in ${seconds(begin)}\n`);
  } catch (error) {
    output.write(`failed after ${seconds(begin)}\n`);
    throw error;
  } finally {
    clearInterval(heartbeat);
  }
}
