import type { TakeSnapshotEvent } from '../contract/events';
import { LifeboatError, messageOf } from '../contract/lifeboat-error';
import type { Manifest, MemberAnswer } from '../contract/manifest';
import { Metric } from '../contract/metrics';
import type { LockPolicy } from '../contract/retention';
import { newSnapshotId } from '../contract/s3-keys';
import type { ClusterView } from '../etcd/cluster-view';
import { SnapshotDamaged } from '../etcd/snapshot';
import type { SnapshotReport } from '../etcd/snapshot';
import { askMembers } from './ask-members';
import { attest } from './attest';
import { buildManifest } from './build-manifest';
import { chooseMember } from './choose-member';
import type { ChosenMember } from './choose-member';
import type { ObjectLock, TakeSnapshotEdges } from './edges';
import { BackupInProgress, BackupOutOfTime, SnapshotTooLarge } from './errors';
import { noMemberError, refuseMixedClusters } from './member-errors';
import { Stopwatch } from './stopwatch';
import { streamSnapshot } from './stream-snapshot';

export interface TakeSnapshotSettings {
  readonly cluster: string;
  readonly maxDbBytes: number;
  readonly lock: LockPolicy;
}

/** What the function answers: the manifest in brief, small enough to read in a console. */
export interface TakeSnapshotResult {
  readonly id: string;
  readonly verified: boolean;
  readonly because: string;
  readonly revision: number;
  readonly compactRevision: number;
  readonly statusHash: string;
  readonly totalKeys: number;
  readonly plainBytes: number;
  readonly storedBytes: number;
  readonly key: string;
  readonly member: string;
  readonly durations: Readonly<Record<string, number>>;
}

/** What Lambda says of this run: the id that its own repetitions share, and a signal for when its time is nearly over. */
export interface Invocation {
  readonly requestId: string;
  readonly signal: AbortSignal;
}

interface Run {
  readonly edges: TakeSnapshotEdges;
  readonly settings: TakeSnapshotSettings;
  readonly event: TakeSnapshotEvent;
  readonly signal: AbortSignal;
  readonly id: string;
  readonly takenAt: Date;
  readonly objectLock: ObjectLock;
  readonly watch: Stopwatch;
}

/**
 * Takes one snapshot: gather members, choose one, stream it once into digest, disk, zstd frames and S3, check the file,
 * ask the members whether they hold the same, publish the manifest last.
 *
 * Nothing that fails leaves a listed snapshot or an open upload, and nothing here writes to etcd.
 *
 * @throws BackupInProgress, BackupOutOfTime, EndpointsDisagree, NoHealthyMember, SnapshotTooLarge, SnapshotTruncated, SnapshotDamaged, StoredBytesDiffer and the
 *   errors of the edges (EtcdTlsRefused, EtcdUnreachable, SnapshotStreamBroken, SpoolFull, StoreFailed)
 */
export async function takeSnapshot(
  edges: TakeSnapshotEdges,
  settings: TakeSnapshotSettings,
  event: TakeSnapshotEvent,
  { requestId, signal }: Invocation,
): Promise<TakeSnapshotResult> {
  const takenAt = edges.now();
  const id = newSnapshotId(takenAt, edges.randomBytes(4));
  const { telemetry } = edges;
  try {
    // Lambda repeats a failed request under the same id: it may take over the lock that its own first try died with.
    const lock = await edges.lock.acquire(requestId);
    if (!lock.acquired) {
      const { holder, expiresAt } = lock;
      throw new BackupInProgress(`request ${holder} is taking a snapshot of ${settings.cluster}; its lock expires at ${expiresAt}`);
    }
    try {
      return await beforeTime({
        ...{ edges, settings, event, signal, id, takenAt },
        ...{ objectLock: lockFrom(takenAt, settings.lock), watch: new Stopwatch(edges.now) },
      });
    } finally {
      // A lock that cannot be released expires by itself; the run's own outcome is what must be told.
      await lock.release().catch((error: unknown) => telemetry.warn('lock-not-released', { id, because: messageOf(error) }));
    }
  } catch (error) {
    telemetry.count(Metric.snapshotFailed, 1, 'Count');
    const { name, message } = error instanceof Error ? error : new Error(messageOf(error));
    telemetry.warn('snapshot-failed', { id, name, message, retryable: error instanceof LifeboatError ? error.retryable : undefined });
    throw error;
  }
}

/**
 * Ends the run by itself when its time is nearly over, whatever it waits for: killed by Lambda, it would leave its lock and its upload.
 *
 * @throws BackupOutOfTime
 */
async function beforeTime(run: Run): Promise<TakeSnapshotResult> {
  const { signal, edges } = run;
  const work = underLock(run);
  let stop: () => void = () => undefined;
  const outOfTime = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new BackupOutOfTime('the run did not end within the time of its function: look at the durations of earlier runs'));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, outOfTime]);
  } catch (error) {
    if (error instanceof BackupOutOfTime) {
      work.catch(() => undefined);
      await endUploads(run);
    }
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    edges.telemetry.log('durations', { id: run.id, durations: run.watch.durations });
  }
}

/** Only the run that holds the lock may have an upload open: any other was left by one that was killed. */
async function endUploads({ edges, id }: Run): Promise<void> {
  try {
    const count = await edges.store.abortStaleUploads();
    if (count > 0) edges.telemetry.warn('stale-uploads-aborted', { id, count });
  } catch (error) {
    // Housekeeping must not stop a backup: the lifecycle of the bucket ends uploads after a day.
    edges.telemetry.warn('stale-uploads-not-aborted', { id, because: messageOf(error) });
  }
}

async function underLock(run: Run): Promise<TakeSnapshotResult> {
  const { edges, id, watch } = run;
  await endUploads(run);
  const view = await watch.time('gather', () => edges.etcd.gather());
  edges.telemetry.count(Metric.memberUnreachable, view.members.filter((member) => !member.reachable).length, 'Count');
  refuseMixedClusters(view);
  const chosen = pick(run, view);
  const spool = await edges.disk.open(id);
  let checked: { readonly report: SnapshotReport; readonly answers: Promise<MemberAnswer[]> } | undefined;
  try {
    const source = edges.etcd.snapshot(chosen.endpoint, run.signal);
    const streamed = await watch.time('stream', () =>
      streamSnapshot(source, spool, edges.store, id, run.settings.maxDbBytes, run.objectLock, async ({ databaseSha256 }) => {
        const report = await watch.time('verify', () => edges.disk.inspect(spool.path, databaseSha256));
        refuseDamage(report, chosen);
        const { hashKv } = report;
        // The members hash while the last parts are still being uploaded.
        const ask = () => (hashKv ? askMembers(edges, view, { path: spool.path, ...hashKv }) : Promise.resolve([]));
        checked = { report, answers: watch.time('attest', ask) };
      }),
    );
    if (!checked) throw new SnapshotDamaged(`snapshot ${id} was stored without having been checked`);
    const { report } = checked;
    const answers = await checked.answers;
    const attestation = report.hashKvUnavailable
      ? ({ verdict: 'unknown', because: report.hashKvUnavailable } as const)
      : attest(answers, view.votingMembers);
    const manifest = buildManifest({
      ...{ id, cluster: run.settings.cluster, takenAt: run.takenAt, lock: run.objectLock, event: run.event, durations: watch.durations },
      ...{ chosen, report, hashKv: report.hashKv, streamed, answers, attestation },
    });
    await edges.store.publish(manifest);
    await edges.noteInLedger(manifest);
    tell(run, manifest);
    return brief(manifest, attestation.because);
  } finally {
    await checked?.answers.catch(() => undefined);
    await spool.discard();
  }
}

const lockFrom = (takenAt: Date, { mode, days }: LockPolicy): ObjectLock => ({
  mode,
  until: new Date(takenAt.getTime() + days * 86_400_000).toISOString(),
});

function pick({ edges, settings, id }: Run, view: ClusterView): ChosenMember {
  const { chosen, judgements } = chooseMember(view);
  if (!chosen) throw noMemberError(view, judgements);
  const { status } = chosen;
  if (status.dbSize > settings.maxDbBytes) {
    throw new SnapshotTooLarge(
      `etcd's database is ${status.dbSize} bytes, more than the ${settings.maxDbBytes} that backup.maxDbSizeGiB allows`,
    );
  }
  edges.telemetry.log('member-chosen', { id, member: status.name, endpoint: chosen.endpoint, because: chosen.because, judgements });
  return chosen;
}

/** @throws SnapshotDamaged for a file that must never be stored */
function refuseDamage(report: SnapshotReport, chosen: ChosenMember): void {
  const [first] = report.problems;
  if (first === undefined && (report.hashKv ?? report.hashKvUnavailable) !== undefined) return;
  const what = first ? `${report.problemCount} problems, first ${first.code}: ${first.message}` : 'its HashKV cannot be computed';
  throw new SnapshotDamaged(
    `the snapshot of ${chosen.status.name || chosen.endpoint} is damaged (${what}): check that member's disk, and take one from another member`,
  );
}

function tell({ edges, takenAt }: Run, manifest: Manifest): void {
  const { telemetry } = edges;
  telemetry.count(manifest.verified ? Metric.snapshotVerified : Metric.snapshotUnverified, 1, 'Count');
  telemetry.count(Metric.snapshotPlainBytes, manifest.plainBytes, 'Bytes');
  telemetry.count(Metric.snapshotStoredBytes, manifest.stored.bytes, 'Bytes');
  telemetry.count(Metric.snapshotRevision, manifest.revision, 'Count');
  telemetry.count(Metric.snapshotKeys, manifest.totalKeys, 'Count');
  telemetry.count(Metric.snapshotSeconds, (edges.now().getTime() - takenAt.getTime()) / 1000, 'Seconds');
  const { id, revision, verified, member, hashKv, durations } = manifest;
  telemetry[verified ? 'log' : 'warn']('snapshot-published', {
    id,
    revision,
    verified,
    member: member.name,
    verdict: hashKv.verdict,
    answers: hashKv.members,
    durations,
  });
}

function brief(manifest: Manifest, because: string): TakeSnapshotResult {
  const { id, verified, revision, compactRevision, statusHash, totalKeys, plainBytes, stored, member, durations } = manifest;
  return {
    ...{ id, verified, because, revision, compactRevision, statusHash, totalKeys, plainBytes, durations },
    ...{ storedBytes: stored.bytes, key: stored.key, member: member.name },
  };
}
