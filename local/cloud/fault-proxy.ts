import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer, request as httpRequest } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { Transform } from 'node:stream';
import { freePort } from '../free-port';
import { s3Operation } from './s3-operation';

/** What goes wrong. */
export type Fault =
  /** Answered by the proxy, without asking the cloud. */
  | { readonly kind: 'status'; readonly status: number; readonly code: string }
  /** The connection is reset when so many bytes of the body have gone by. */
  | { readonly kind: 'reset'; readonly afterBytes: number }
  /** The cloud does the work, but the caller never hears of it. */
  | { readonly kind: 'lose-answer' }
  /** One bit of the answer's body is flipped, at this byte. */
  | { readonly kind: 'damage-answer'; readonly atByte: number }
  /** The connection is reset when so many bytes of the answer's body have gone by. */
  | { readonly kind: 'cut-answer'; readonly afterBytes: number }
  | { readonly kind: 'delay'; readonly ms: number }
  /** Something happens elsewhere at this very call, which is passed on when it has happened. */
  | { readonly kind: 'meanwhile'; readonly act: () => void | Promise<void> };

export interface FaultRule {
  /** An S3 operation by its API name. */
  readonly operation: string;
  /** Only calls whose path ends so. @default - any */
  readonly key?: string;
  /** Which call of that operation is the first to fail, counted from the moment the rule was added. @default 1 */
  readonly from?: number;
  /** @default 1 */
  readonly times?: number;
  readonly fault: Fault;
}

/** A loopback proxy between the functions and the cloud that lets calls fail on demand. */
export interface FaultProxy {
  readonly endpoint: string;
  inject(rule: FaultRule): void;
  /** Nothing fails any more, and counting begins anew. */
  clear(): void;
  /** How often an operation was asked for since the last `clear`, including the calls that failed. */
  count(operation: string): number;
  stop(): Promise<void>;
}

interface ActiveRule extends FaultRule {
  seen: number;
}

/** The first rule that is due for this call; every rule of the operation and key counts it. */
function dueFault(rules: readonly ActiveRule[], operation: string, path: string): Fault | undefined {
  const due = rules.filter((rule) => {
    if (rule.operation !== operation || !path.endsWith(rule.key ?? '')) return false;
    rule.seen++;
    const first = rule.from ?? 1;
    return rule.seen >= first && rule.seen < first + (rule.times ?? 1);
  });
  return due[0]?.fault;
}

const errorBody = (code: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>injected by the fault proxy</Message></Error>`;

function answerWithError(incoming: IncomingMessage, outgoing: ServerResponse, { status, code }: Fault & { kind: 'status' }): void {
  // The body is read to its end first: callers expect that of a server that answers in good order.
  incoming.resume();
  incoming.once('end', () => {
    outgoing.writeHead(status, { 'content-type': 'application/xml' });
    outgoing.end(errorBody(code));
  });
}

function resetAfter(incoming: IncomingMessage, bytes: number): void {
  let seen = 0;
  const reset = () => incoming.socket.resetAndDestroy();
  incoming.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    if (seen >= bytes) reset();
  });
  incoming.once('end', reset);
}

function damage(atByte: number): Transform {
  let offset = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const index = atByte - offset;
      offset += chunk.length;
      const byte = chunk[index];
      const copy = Buffer.from(chunk);
      if (byte !== undefined) copy[index] = byte ^ 1;
      done(null, copy);
    },
  });
}

/** Passes on so many bytes, and resets the connection once the caller has them. */
function cut(incoming: IncomingMessage, answer: IncomingMessage, outgoing: ServerResponse, afterBytes: number): void {
  let left = afterBytes;
  answer.on('data', (chunk: Buffer) => {
    const some = chunk.subarray(0, left);
    left -= some.length;
    if (left > 0) outgoing.write(some);
    else if (some.length > 0) outgoing.write(some, () => incoming.socket.resetAndDestroy());
  });
  answer.once('end', () => {
    if (left > 0) outgoing.end();
  });
}

/** Passes a call on as it is: Host and all signed headers untouched, so that its signature stays valid. */
function forward(incoming: IncomingMessage, outgoing: ServerResponse, port: number, fault: Fault | undefined): void {
  const { expect: _answeredHere, ...headers } = incoming.headers;
  const upstream = httpRequest({
    host: '127.0.0.1',
    port,
    method: incoming.method,
    path: incoming.url,
    headers,
    setHost: false,
    agent: false,
  });
  upstream.on('response', (answer) => {
    if (fault?.kind === 'lose-answer') {
      answer.resume();
      answer.once('end', () => incoming.socket.resetAndDestroy());
      return;
    }
    const { date: _machineTime, ...others } = answer.headers;
    outgoing.writeHead(answer.statusCode ?? 502, others);
    if (fault?.kind === 'cut-answer') {
      cut(incoming, answer, outgoing, fault.afterBytes);
      return;
    }
    const body = fault?.kind === 'damage-answer' ? answer.pipe(damage(fault.atByte)) : answer;
    body.pipe(outgoing);
  });
  upstream.on('error', () => incoming.socket.resetAndDestroy());
  outgoing.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
}

async function serve(incoming: IncomingMessage, outgoing: ServerResponse, port: number, fault: Fault | undefined): Promise<void> {
  if (fault?.kind === 'delay') await wait(fault.ms);
  if (fault?.kind === 'meanwhile') await fault.act();
  if (fault?.kind === 'status') answerWithError(incoming, outgoing, fault);
  else if (fault?.kind === 'reset') resetAfter(incoming, fault.afterBytes);
  else forward(incoming, outgoing, port, fault);
}

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

/**
 * Starts the proxy in this process, on a free port of 127.0.0.1, in front of the cloud on the given port.
 *
 * @param now the time that answers give: an SDK takes any error for one of its own clock when the two are minutes apart, and asks again
 */
export async function startFaultProxy(port: number, now = () => new Date()): Promise<FaultProxy> {
  let rules: ActiveRule[] = [];
  const counts = new Map<string, number>();
  const server = createServer((incoming, outgoing) => {
    outgoing.setHeader('date', now().toUTCString());
    const operation = s3Operation(incoming);
    if (operation !== undefined) counts.set(operation, (counts.get(operation) ?? 0) + 1);
    const [path = ''] = (incoming.url ?? '').split('?');
    void serve(incoming, outgoing, port, operation === undefined ? undefined : dueFault(rules, operation, path));
  });
  // Functions may keep a call open as long as they run.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 60_000;
  const ownPort = await freePort();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(ownPort, '127.0.0.1', resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${ownPort}`,
    inject: (rule) => rules.push({ ...rule, seen: 0 }),
    clear: () => {
      rules = [];
      counts.clear();
    },
    count: (operation) => counts.get(operation) ?? 0,
    stop: () => close(server),
  };
}
