import type { Server } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Fault, FaultProxy } from '../../local/cloud/fault-proxy';
import { startFaultProxy } from '../../local/cloud/fault-proxy';

const SIGNED = 'AWS4-HMAC-SHA256 Credential=AKIA/20261123/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=0';
const PART = '/bucket/key?partNumber=1&uploadId=u';

let upstream: Server;
let proxy: FaultProxy;
let arrived: { readonly host: string | undefined; readonly bytes: number }[];
beforeEach(async () => {
  arrived = [];
  upstream = createServer((incoming, outgoing) => {
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => (bytes += chunk.length));
    incoming.on('end', () => {
      arrived.push({ host: incoming.headers.host, bytes });
      outgoing.end('the answer');
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  proxy = await startFaultProxy((upstream.address() as AddressInfo).port);
});
afterEach(async () => {
  await proxy.stop();
  await new Promise((resolve) => upstream.close(resolve));
});

/** Status and body of the answer, or the error code of a connection that broke. */
function send(body = Buffer.alloc(100_000), path = PART): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request(`${proxy.endpoint}${path}`, { method: 'PUT', agent: false, headers: { authorization: SIGNED } }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () => resolve(`${answer.statusCode ?? 0} ${text}`));
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    outgoing.end(body);
  });
}
const fail = (fault: Fault, more: { from?: number; times?: number } = {}) => proxy.inject({ operation: 'UploadPart', fault, ...more });

describe('the fault proxy', () => {
  test('passes calls on with their body and the host that was signed', async () => {
    expect(await send(Buffer.alloc(3_000_000))).toBe('200 the answer');
    expect(arrived).toEqual([{ host: new URL(proxy.endpoint).host, bytes: 3_000_000 }]);
  });

  test('lets something happen at a call before it is passed on', async () => {
    let arrivedBefore = -1;
    fail({ kind: 'meanwhile', act: () => void (arrivedBefore = arrived.length) }, { from: 2 });

    expect([await send(), await send(), await send()]).toEqual(Array(3).fill('200 the answer'));
    expect(arrivedBefore).toBe(1);
    expect(arrived).toHaveLength(3);
  });

  test('gives the time of the clock that it was given, in answers of the cloud and in its own', async () => {
    const moved = await startFaultProxy((upstream.address() as AddressInfo).port, () => new Date('2027-01-01T00:00:00Z'));
    moved.inject({ operation: 'UploadPart', from: 2, fault: { kind: 'status', status: 503, code: 'SlowDown' } });
    const dateOf = async () =>
      (await fetch(`${moved.endpoint}${PART}`, { method: 'PUT', headers: { authorization: SIGNED } })).headers.get('date');

    const dates = [await dateOf(), await dateOf()];
    await moved.stop();

    expect(dates).toEqual(Array(2).fill('Fri, 01 Jan 2027 00:00:00 GMT'));
  });

  test('answers the call that it was told to, without asking the cloud', async () => {
    fail({ kind: 'status', status: 503, code: 'SlowDown' }, { from: 2, times: 2 });

    const answers = [await send(), await send(), await send(), await send()];

    expect(answers.map((answer) => answer.slice(0, 3))).toEqual(['200', '503', '503', '200']);
    expect(answers[1]).toContain('<Code>SlowDown</Code>');
    expect(arrived).toHaveLength(2);
    expect(proxy.count('UploadPart')).toBe(4);
  });

  test('lets other operations be', async () => {
    fail({ kind: 'status', status: 500, code: 'InternalError' });

    expect(await send(undefined, '/bucket/key')).toBe('200 the answer');
  });

  test('resets the connection in the middle of a body', async () => {
    fail({ kind: 'reset', afterBytes: 50_000 });

    expect(await send(Buffer.alloc(20_000_000))).toMatch(/ECONNRESET|EPIPE/);
    expect(arrived).toEqual([]);
  });

  test('loses the answer to a call that was done', async () => {
    fail({ kind: 'lose-answer' });

    expect(await send()).toBe('ECONNRESET');
    expect(arrived).toHaveLength(1);
  });

  test('damages one bit of an answer', async () => {
    fail({ kind: 'damage-answer', atByte: 4 });

    expect(await send()).toBe('200 the `nswer');
  });

  test('delays a call', async () => {
    fail({ kind: 'delay', ms: 300 });
    const begin = performance.now();

    expect(await send()).toBe('200 the answer');
    expect(performance.now() - begin).toBeGreaterThan(290);
  });

  test('forgets everything when cleared', async () => {
    fail({ kind: 'status', status: 503, code: 'SlowDown' }, { times: 9 });
    await send();
    proxy.clear();

    expect(await send()).toBe('200 the answer');
    expect(proxy.count('UploadPart')).toBe(1);
  });
});
