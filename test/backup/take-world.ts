import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Manifest } from '../../lambdas/contract/manifest';
import type { Eras } from '../../lambdas/contract/pki-generations';
import type { ObjectLock, TakeSnapshotEdges } from '../../lambdas/backup/edges';
import { takeSnapshot } from '../../lambdas/backup/take-snapshot';
import type { ClusterView, LiveHashKv } from '../../lambdas/etcd/cluster-view';
import type { SnapshotReport } from '../../lambdas/etcd/snapshot';
import { reachable } from './factories';

export const NOW = new Date('2026-11-23T18:28:15.000Z');
export const ID = '20261123T182815Z-01020304';
export const database = Buffer.alloc(9 * 1024 * 1024, 'lifeboat');
export const snapshot = Buffer.concat([database, createHash('sha256').update(database).digest()]);

export const report = (overrides: Partial<SnapshotReport> = {}): SnapshotReport => ({
  problems: [],
  problemCount: 0,
  pageSize: 4096,
  dbSize: database.length,
  revision: 900,
  lastEntryRevision: 900,
  compactRevision: 100,
  totalKeys: 42,
  statusHash: '12345678',
  inventory: { pods: 7 },
  hashKv: { revision: 900, compactRevision: 100, hash: 'feedbeef' },
  checks: [{ name: 'page-tree', passed: true }],
  ...overrides,
});

export const threeMembers: ClusterView = {
  votingMembers: 3,
  members: [
    reachable('https://one:2379', { id: 'b2', name: 'one' }),
    reachable('https://two:2379', { name: 'two' }),
    reachable('https://three:2379', { id: 'c3', name: 'three' }),
  ],
};

export interface World {
  readonly edges: TakeSnapshotEdges;
  readonly events: string[];
  readonly manifests: Manifest[];
  readonly locks: ObjectLock[];
  /** Endpoints that a snapshot was taken from, in order. */
  readonly readFrom: string[];
  /** `MemberDiverged` of each endpoint, as it was told last. */
  readonly diverged: Map<string, number>;
  stored: Buffer | undefined;
}

export interface Faults {
  readonly view?: ClusterView;
  readonly stream?: () => AsyncIterable<Uint8Array>;
  readonly report?: SnapshotReport;
  readonly positionOf?: () => Promise<{ revision: number; compactRevision: number }>;
  readonly hashKv?: (endpoint: string, attempt: number) => LiveHashKv;
  readonly eras?: Eras;
  readonly locked?: boolean;
  readonly storedCrc?: string;
  readonly spoolWrite?: () => Promise<void>;
  readonly publish?: () => Promise<void>;
  readonly release?: () => Promise<void>;
  readonly abortStaleUploads?: () => Promise<number>;
}

export async function* wholeSnapshot(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < snapshot.length; at += 32 * 1024) yield snapshot.subarray(at, at + 32 * 1024);
}

/** Edges in memory that note what happened in which order. The real ones are tested through the deployed function. */
export function world(faults: Faults = {}): World {
  const events: string[] = [];
  const manifests: Manifest[] = [];
  const attempts = new Map<string, number>();
  const it: World = { events, manifests, locks: [], readFrom: [], diverged: new Map(), stored: undefined, edges: {} as TakeSnapshotEdges };
  const edges: TakeSnapshotEdges = {
    etcd: {
      gather: async () => faults.view ?? threeMembers,
      snapshot: (endpoint) => {
        it.readFrom.push(endpoint);
        return (faults.stream ?? wholeSnapshot)();
      },
      hashKv: async (endpoint) => {
        const attempt = (attempts.get(endpoint) ?? 0) + 1;
        attempts.set(endpoint, attempt);
        events.push(`asked ${endpoint}`);
        return faults.hashKv?.(endpoint, attempt) ?? { hash: 'feedbeef', compactRevision: 100 };
      },
      close: () => undefined,
    },
    store: {
      storeSnapshot: async (_id, body, lock) => {
        it.locks.push(lock);
        const parts: Buffer[] = [];
        for await (const part of body) parts.push(part);
        const stored = Buffer.concat(parts);
        it.stored = stored;
        events.push('stored');
        return { bytes: stored.length, crc32: faults.storedCrc ?? crc32(stored).toString(16).padStart(8, '0'), versionId: 'v1' };
      },
      publish: async (manifest) => {
        await faults.publish?.();
        manifests.push(Manifest.parse(manifest));
        events.push('published');
      },
      abortStaleUploads: faults.abortStaleUploads ?? (async () => 0),
    },
    lock: {
      acquire: async () =>
        faults.locked
          ? { acquired: false, holder: 'other-run', expiresAt: '2026-11-23T18:40:00.000Z' }
          : { acquired: true, release: faults.release ?? (async () => void events.push('unlocked')) },
    },
    disk: {
      open: async () => ({
        path: '/spool',
        write: faults.spoolWrite ?? (async () => undefined),
        finish: async () => void events.push('spooled'),
        discard: async () => void events.push('discarded'),
      }),
      positionOf: faults.positionOf ?? (async () => ({ revision: 900, compactRevision: 100 })),
      inspect: async () => {
        events.push('inspected');
        return faults.report ?? report();
      },
      hashKvOf: async (_path, revision, compactRevision) => ({ revision, compactRevision, hash: 'c0ffee00' }),
    },
    pkiGenerations: async () => faults.eras ?? {},
    noteInLedger: async ({ id }) => void events.push(`noted ${id}`),
    telemetry: {
      log: () => undefined,
      warn: (event) => void events.push(event),
      count: (metric, value, _unit, endpoint) => {
        events.push(value === 0 ? `${metric}: 0` : metric);
        if (endpoint !== undefined) it.diverged.set(endpoint, value);
      },
    },
    now: () => NOW,
    randomBytes: () => Buffer.from([1, 2, 3, 4 + manifests.length]),
    wait: async () => undefined,
  };
  return Object.assign(it, { edges });
}

export const run = (w: World, maxDbBytes = 8 * 1024 ** 3, signal = new AbortController().signal) =>
  takeSnapshot(
    w.edges,
    { cluster: 'prod', maxDbBytes, lock: { mode: 'governance', days: 7 } },
    { trigger: 'manual', note: 'before upgrade' },
    { requestId: 'request-1', signal },
  );
