import type { RetentionPolicy } from '../../lambdas/contract/retention';
import type { Manifest } from '../../lambdas/contract/manifest';
import type { StoredSnapshot } from '../../lambdas/backup/retention';

/** A Monday noon, in the middle of a month. */
export const NOW = new Date('2026-11-16T12:00:00.000Z');
const DAY_MS = 86_400_000;

export const daysBefore = (days: number, now = NOW): Date => new Date(now.getTime() - days * DAY_MS);

/** A policy under which nothing survives but the newest and what the test asks for. */
export const policy = (overrides: Partial<RetentionPolicy> = {}): RetentionPolicy => ({
  ...{ hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, floor: 1 },
  ...{ preChangeDays: 0, unverifiedDays: 0, lineageDays: 0 },
  ...overrides,
});

interface Shape extends Partial<StoredSnapshot> {
  readonly daysOld?: number;
}

/** A verified, scheduled snapshot; its revision grows with its time unless it says otherwise. */
export function snapshot(id: string, { daysOld = 0, ...overrides }: Shape = {}): StoredSnapshot {
  const takenAt = overrides.takenAt ?? daysBefore(daysOld);
  const revision = Math.max(1, Math.floor(takenAt.getTime() / 1000));
  return { id, lineage: 'first', trigger: 'scheduled', verified: true, revision, ...overrides, takenAt };
}

export const manifest = (overrides: Partial<Manifest> & Pick<Manifest, 'id'>): Manifest => ({
  version: 1,
  cluster: 'prod',
  lineage: 'c0ffee',
  trigger: 'scheduled',
  takenAt: NOW.toISOString(),
  member: { id: 'b2', name: 'one', endpoint: 'https://one:2379', leader: false },
  versions: { etcd: '3.6.16' },
  revision: 900,
  compactRevision: 100,
  statusHash: '12345678',
  totalKeys: 42,
  dbSize: 4096,
  plainSha256: '0'.repeat(64),
  plainBytes: 4128,
  stored: { key: `clusters/prod/snapshots/${overrides.id}/snapshot.db.zst`, bytes: 1000, frames: [[4128, 1000]], crc32: '00000000' },
  hashKv: { revision: 900, hash: 'feedbeef', verdict: 'majority', members: [] },
  inventory: {},
  pkiGenerations: {},
  verified: true,
  checks: [],
  durations: {},
  ...overrides,
});
