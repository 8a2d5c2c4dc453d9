import type { EtcdClientSecret } from '../../contract/secrets';
import { metricsOf } from './member-metrics';

/** A gauge of the server, e.g. `etcd_server_quota_backend_bytes 8.589934592e+09`; negative when there is no limit (3.5 etcdserver/quota.go). */
const QUOTA = /^etcd_server_quota_backend_bytes (\S+)$/m;

/**
 * The quota of a member's database in bytes, from its metrics: before 3.6 nothing else tells it. Undefined when it cannot be found out, for whatever
 * reason; nobody goes without anything else for it.
 */
export async function readQuotaMetric(endpoint: string, secret: EtcdClientSecret, timeoutMs: number): Promise<number | undefined> {
  const text = await metricsOf(endpoint, secret, timeoutMs);
  const quota = Number(QUOTA.exec(text ?? '')?.[1]);
  return quota > 0 ? quota : undefined;
}
