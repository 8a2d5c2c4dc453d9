import { request } from 'node:https';

const WITHIN_MS = 5_000;

/**
 * The HTTP status of `/readyz` (https://kubernetes.io/docs/reference/using-api/health-checks/). Nothing secret is sent and only a number is
 * believed, so the certificate is not judged here: on the worst day it has expired.
 *
 * @param apiUrl `https://name:port`
 * @param withinMs how long it may say nothing
 * @throws the error of the connection, or of the time limit
 */
export function readyzOf(apiUrl: string, withinMs = WITHIN_MS): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(new URL('/readyz', apiUrl), { rejectUnauthorized: false, agent: false, timeout: withinMs }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asked.once('timeout', () => asked.destroy(new Error(`no answer within ${withinMs} ms`)));
    asked.once('error', reject);
    asked.end();
  });
}
