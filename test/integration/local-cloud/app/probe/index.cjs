'use strict';
// A function that does what its event says. It uses no SDK: it probes the runtime that runs it.
const console = require('node:console');
const process = require('node:process');
const { setTimeout: sleep } = require('node:timers/promises');

class ProbeFailed extends Error {
  name = 'ProbeFailed';
}

exports.handler = async (event, context) => {
  console.log('probe', JSON.stringify(event));
  if (event.fail) throw new ProbeFailed('as it was told');
  if (event.tell) await globalThis.fetch(event.tell);
  if (event.sleepMs) await sleep(event.sleepMs);
  const times = [Date.now(), new Date().getTime(), Date.parse(Date())];
  const remainingMs = context.getRemainingTimeInMillis();
  return { event, node: process.version, remainingMs, times, then: new Date(0).toISOString(), environment: { ...process.env } };
};
