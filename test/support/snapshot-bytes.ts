import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InspectOptions, SnapshotReport } from '../../lambdas/etcd/snapshot';
import { inspectSnapshot } from '../../lambdas/etcd/snapshot';

/** Lends bytes as a file to some work. */
export async function asFile<T>(bytes: Uint8Array, work: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'snapshot-bytes-'));
  try {
    const path = join(folder, 'snapshot.db');
    writeFileSync(path, bytes);
    return await work(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const inspectBytes = (bytes: Uint8Array, options?: InspectOptions): Promise<SnapshotReport> =>
  asFile(bytes, (path) => inspectSnapshot(path, options));

/** The codes of all problems, each once, in the order found. */
export const codesOf = ({ problems }: SnapshotReport): string[] => [...new Set(problems.map(({ code }) => code))];
