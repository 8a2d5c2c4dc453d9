import { openChannel } from '../../lambdas/etcd/client/unary-call';
import type { UnaryMethod } from '../../lambdas/etcd/client/unary-call';
import type { EtcdClientSecret } from '../../lambdas/contract/secrets';
import { sleep } from '../../local/child-process';
import { field, message } from '../../local/etcd/protobuf';
import { endsWithFile } from './ends-with-file';

/** etcdserverpb.PutRequest { bytes key = 1; bytes value = 2 }; nothing of the answer is needed. */
const PUT: UnaryMethod<string, true> = {
  path: '/etcdserverpb.KV/Put',
  encode: (key) => message(field(1, key), field(2, 'x')),
  decode: () => true,
};
/** As long as one write is waited for. */
export const WRITE_MS = 1_000;
const PAUSE_MS = 20;

export interface WriteReport {
  /** Keys whose writing was confirmed. */
  readonly written: readonly string[];
  readonly failed: number;
  /** The longest time between two confirmed writes. */
  readonly longestGapMs: number;
  readonly slowestMs: number;
}

/** Writes one key after the other to the members in turn, and never tries one again: what fails is seen. Ends with the test file at the latest. */
export function startWriter(endpoints: readonly string[], credentials: EtcdClientSecret, prefix: string): () => Promise<WriteReport> {
  const channels = endpoints.map((endpoint) => openChannel(endpoint, credentials));
  const written: string[] = [];
  let [failed, longestGapMs, slowestMs, last] = [0, 0, 0, Date.now()];
  const progress = { over: false };
  const confirmed = (began: number): void => {
    const now = Date.now();
    longestGapMs = Math.max(longestGapMs, now - last);
    slowestMs = Math.max(slowestMs, now - began);
    last = now;
  };
  const running = (async () => {
    for (let at = 0; !progress.over; at++) {
      const began = Date.now();
      const key = `${prefix}${at}`;
      try {
        await channels[at % channels.length]?.call(PUT, key, WRITE_MS);
        written.push(key);
        confirmed(began);
      } catch {
        failed++;
      }
      await sleep(PAUSE_MS);
    }
    longestGapMs = Math.max(longestGapMs, Date.now() - last);
  })();
  return endsWithFile(async () => {
    progress.over = true;
    await running;
    channels.forEach((channel) => channel.close());
    return { written, failed, longestGapMs, slowestMs };
  });
}
