import { request } from 'node:https';
import type { EtcdClientSecret } from '../../contract/secrets';

const MOST_BYTES = 4 * 1024 * 1024;
const WITHIN_MS = 5_000;

/**
 * The metrics that a member serves beside gRPC, in the text format of Prometheus. Undefined when they cannot be read, for whatever reason.
 */
export function metricsOf(endpoint: string, secret: EtcdClientSecret, timeoutMs = WITHIN_MS): Promise<string | undefined> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const asking = request(`${endpoint}/metrics`, { ...secret, agent: false, signal }, (answer) => {
      let text = '';
      answer.setEncoding('latin1');
      answer.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MOST_BYTES) answer.destroy();
      });
      answer.on('close', () => resolve(answer.statusCode === 200 ? text : undefined));
      answer.on('error', () => undefined);
    });
    asking.on('error', () => resolve(undefined));
    asking.end();
  });
}
