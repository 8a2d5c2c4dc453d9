import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { inspectSnapshot } from '../lambdas/etcd/snapshot';

// The whole process that the bench times: structure, status hash and inventory, with HashKV only on request. The trailer is given back as
// the digest that a backup has from streaming the file; `etcdutl snapshot status` does not look at it either.
/** Not `resourceUsage().maxRSS`, which begins with what the parent had when it forked. */
const peakRssKiB = (): number => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

async function main(path: string, hashKv: boolean): Promise<void> {
  const file = openSync(path, 'r');
  const expectedSha256Trailer = Buffer.alloc(32);
  readSync(file, expectedSha256Trailer, 0, 32, fstatSync(file).size - 32);
  closeSync(file);
  const report = await inspectSnapshot(path, { expectedSha256Trailer, hashKv });
  process.stdout.write(JSON.stringify({ ...report, peakRssKiB: peakRssKiB() }));
}

const [path = '', mode] = process.argv.slice(2);
void main(path, mode === 'full');
