import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkServerIdentity, connect } from 'node:tls';
import type { ProbeAnswer, ProbeTarget } from '../contract/api-record';

const WITHIN_MS = 2_500;
/** One lost packet is not the end of an API server, and while etcd elects a leader none of them is ready, for a second or two. */
const TRIES = 3;
const BETWEEN_TRIES_MS = 1_000;

/**
 * What speaks at a place, asked by a fresh handshake with the API's name and by `GET /readyz` without credentials. Nothing secret is sent and only
 * a number is believed, so who signed the certificate is not judged here: on the worst day it has expired. Never throws.
 */
export async function answerOf(target: ProbeTarget, name: string, withinMs = WITHIN_MS): Promise<ProbeAnswer> {
  let answer = await tryOnce(target, name, withinMs);
  for (let attempt = 1; attempt < TRIES && !answer.answers; attempt++) {
    await sleep(BETWEEN_TRIES_MS);
    answer = await tryOnce(target, name, withinMs);
  }
  return answer;
}

function tryOnce({ host, port }: ProbeTarget, name: string, withinMs: number): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    // SNI has names alone (RFC 6066, 3).
    const sni = isIP(name) === 0 && { servername: name };
    const socket = connect({ host, port, ...sni, ALPNProtocols: ['http/1.1'], rejectUnauthorized: false });
    let carriesName: boolean | undefined;
    let head = '';
    const done = (answers: boolean, because: string, status?: number) => {
      clearTimeout(limit);
      socket.destroy();
      resolve({ host, port, answers, because, ...(carriesName !== undefined && { carriesName }), ...(status !== undefined && { status }) });
    };
    const limit = setTimeout(() => done(false, `no answer within ${withinMs} ms`), withinMs);
    socket.once('secureConnect', () => {
      carriesName = checkServerIdentity(name, socket.getPeerCertificate()) === undefined;
      socket.write(`GET /readyz HTTP/1.1\r\nHost: ${name}\r\nUser-Agent: kube-lifeboat\r\nConnection: close\r\n\r\n`);
    });
    socket.on('data', (bytes: Buffer) => {
      head += bytes.toString('latin1');
      const status = /^HTTP\/1\.[01] (\d{3}) /.exec(head)?.[1];
      if (status !== undefined) done(speaks(Number(status)), `/readyz answers ${status}`, Number(status));
      else if (head.length > 64) done(false, 'it speaks something else than HTTP');
    });
    socket.once('error', (error: Error) => done(false, error.message));
    socket.once('close', () => done(false, 'it ended the connection'));
  });
}

/** An API server that lets nobody ask anonymously says so by 401 or 403, and is one that works. */
const speaks = (status: number): boolean => status === 200 || status === 401 || status === 403;
