import { request } from 'node:https';
import type { EtcdClientSecret } from '../../contract/secrets';

/** A gauge of the server, e.g. `etcd_server_quota_backend_bytes 8.589934592e+09`; negative when there is no limit (3.5 etcdserver/quota.go). */
const QUOTA = /^etcd_server_quota_backend_bytes (\S+)$/m;
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * The quota of a member's database in bytes, from the metrics that it serves beside gRPC: before 3.6 nothing else tells it. Undefined when
 * it cannot be found out, for whatever reason; nobody goes without anything else for it.
 */
export function readQuotaMetric(endpoint: string, secret: EtcdClientSecret, timeoutMs: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const asking = request(`${endpoint}/metrics`, { ...secret, agent: false, signal }, (answer) => {
      let text = '';
      answer.setEncoding('latin1');
      answer.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MOST_BYTES) answer.destroy();
      });
      answer.on('close', () => resolve(answer.statusCode === 200 ? quotaIn(text) : undefined));
      answer.on('error', () => undefined);
    });
    asking.on('error', () => resolve(undefined));
    asking.end();
  });
}

function quotaIn(text: string): number | undefined {
  const quota = Number(QUOTA.exec(text)?.[1]);
  return quota > 0 ? quota : undefined;
}
