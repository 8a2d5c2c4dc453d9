#!/usr/bin/env node
// The Lambda runtime of the local cloud: put into each function's asset as `bootstrap`, run as provided.al2023.
// It speaks the same Runtime API as AWS's own Node runtime, so handler errors keep their name, message and stack.
// Plain CommonJS: it runs as it is, in a folder without the project's packages.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
'use strict';
const { Buffer } = require('node:buffer');
const dns = require('node:dns');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const process = require('node:process');
const { setInterval } = require('node:timers');
const { pathToFileURL } = require('node:url');

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');

const RealDate = Date;
/** Milliseconds by which the function's clock is ahead of this machine's. */
let clockOffset = 0;

/**
 * Not on AWS: the function lives by a clock of its own, which callers move (local/cloud/function-clock.ts), so that days pass in
 * seconds. Only `Date` knows of it: timers and the time left are real.
 */
function bringOwnClock() {
  const now = () => RealDate.now() + clockOffset;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: () => new RealDate(now()).toString(),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  });
}

/** Once per call, so that no clock jumps while a handler works. */
function setOwnClock() {
  const file = process.env.LIFEBOAT_LOCAL_CLOCK;
  clockOffset = file && fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')).offsetMs : 0;
}

function call(method, resource, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const request = http.request({ host, port, method, path: `/2018-06-01/runtime/${resource}`, headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    // The emulator is gone: a function must not outlive it.
    request.on('error', () => process.exit(0));
    request.end(body);
  });
}

function describe(error) {
  const isError = error instanceof Error;
  return JSON.stringify({
    errorType: isError ? error.name : typeof error,
    errorMessage: isError ? error.message : String(error),
    trace: isError ? String(error.stack).split('\n') : [],
  });
}

/** `lib/index.handler` is the export `handler` of lib/index.{mjs,js,cjs}. */
async function loadHandler() {
  const [, file, name] = /^(.*)\.([^.]+)$/.exec(process.env._HANDLER);
  const base = path.join(process.env.LAMBDA_TASK_ROOT, file);
  const found = ['.mjs', '.js', '.cjs'].map((suffix) => base + suffix).find((candidate) => fs.existsSync(candidate));
  if (found === undefined) throw Object.assign(new Error(`cannot find module '${file}'`), { name: 'Runtime.ImportModuleError' });
  const module = await import(pathToFileURL(found).href);
  const handler = module[name] ?? module.default?.[name];
  if (typeof handler !== 'function')
    throw Object.assign(new Error(`${process.env._HANDLER} is undefined or not exported`), { name: 'Runtime.HandlerNotFound' });
  return handler;
}

const contextOf = ({ headers }) => {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: `/aws/lambda/${process.env.AWS_LAMBDA_FUNCTION_NAME}`,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - RealDate.now()),
  };
};

/** Files and sockets that this process holds open; only Linux tells. */
function openFiles() {
  try {
    return fs.readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}

/** Not on AWS: memory limits are not enforced here, so each process leaves what it holds, and the most it ever held, after each call. */
function recordMemory(requestId) {
  const folder = process.env.LIFEBOAT_LOCAL_MEMORY_DIR;
  if (!folder) return;
  const line = JSON.stringify({
    pid: process.pid,
    requestId,
    peakRssKiB: process.resourceUsage().maxRSS,
    rssKiB: Math.round(process.memoryUsage.rss() / 1024),
    openFiles: openFiles(),
    limitMiB: Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE),
  });
  fs.appendFileSync(path.join(folder, `${process.env.AWS_LAMBDA_FUNCTION_NAME}.jsonl`), `${line}\n`);
}

/** Not on AWS: leaves word of this process as long as it lives, so that a test can kill it. */
function registerProcess() {
  const folder = process.env.LIFEBOAT_LOCAL_PROCESS_DIR;
  if (!folder) return;
  const file = path.join(folder, `${process.env.AWS_LAMBDA_FUNCTION_NAME}.${process.pid}`);
  fs.writeFileSync(file, '');
  process.once('exit', () => fs.rmSync(file, { force: true }));
}

/** Not on AWS: when the emulator had to be killed, nobody is left to end a function that still works. */
function endWithEmulator() {
  const emulator = process.ppid;
  setInterval(() => {
    if (process.ppid !== emulator) process.exit(0);
  }, 500).unref();
}

/**
 * Not on AWS: names in the emulated zones, and those of load balancers, lead where the local name servers say; any other name goes to the machine's
 * own resolver. `LIFEBOAT_LOCAL_DNS` holds the address of the resolver inside the VPC, and that of the name servers of public zones.
 */
function bringOwnNames() {
  const [inside, outside] = (process.env.LIFEBOAT_LOCAL_DNS ?? '').split(',');
  if (!inside || !outside) return;
  for (const module of [dns, dns.promises]) {
    module.Resolver = class extends module.Resolver {
      constructor(...options) {
        super(...options);
        super.setServers([inside]);
      }
      setServers() {
        // Whichever name server is meant: here this one is all of them.
        super.setServers([outside]);
      }
    };
  }
  dns.setServers([inside]);
  const resolver = new dns.Resolver({ timeout: 1000, tries: 2 });
  const lookup = dns.lookup;
  dns.lookup = (name, options, callback = options) => {
    const given = typeof options === 'object' ? options : { family: typeof options === 'number' ? options : 0 };
    if (net.isIP(name) || name === 'localhost') return lookup(name, options, callback);
    resolver.resolve4(name, (error, found) => {
      if (error) return lookup(name, given, callback);
      if (given.all)
        return callback(
          null,
          found.map((address) => ({ address, family: 4 })),
        );
      callback(null, found[0], 4);
    });
  };
}

async function main() {
  endWithEmulator();
  bringOwnNames();
  registerProcess();
  bringOwnClock();
  setOwnClock();
  let handler;
  try {
    handler = await loadHandler();
  } catch (error) {
    await call('POST', 'init/error', describe(error));
    process.exit(1);
  }
  for (;;) {
    const next = await call('GET', 'invocation/next');
    if (next.status !== 200) process.exit(0);
    const requestId = next.headers['lambda-runtime-aws-request-id'];
    setOwnClock();
    try {
      const result = await handler(JSON.parse(next.body), contextOf(next));
      recordMemory(requestId);
      await call('POST', `invocation/${requestId}/response`, JSON.stringify(result ?? null));
    } catch (error) {
      recordMemory(requestId);
      await call('POST', `invocation/${requestId}/error`, describe(error));
    }
  }
}

main();
