import { ErrorName } from '../contract/errors';
import type { TakeSnapshotEvent } from '../contract/events';
import { LifeboatError, messageOf } from '../contract/lifeboat-error';
import { Metric } from '../contract/metrics';
import type { ClusterView } from '../etcd/cluster-view';
import { chooseMember } from './choose-member';
import type { ChosenMember } from './choose-member';
import type { TakeSnapshotEdges } from './edges';
import { BackupInProgress, BackupOutOfTime, SnapshotTooLarge } from './errors';
import { noMemberError, refuseMixedClusters } from './member-errors';
import type { Run, TakeSnapshotSettings } from './run';
import { Stopwatch } from './stopwatch';
import { takeFromMember } from './take-from-member';
import type { TakenSnapshot } from './take-from-member';
import { tellFailure } from './tell-failure';

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
  /** Members that hold something else than the majority, by name. */
  readonly diverged: readonly string[];
  /** The snapshot that was taken before this one and is kept, unverified: its member turned out to be in the minority. */
  readonly insteadOf?: string;
}

/** What Lambda says of this run: the id that its own repetitions share, and a signal for when its time is nearly over. */
export interface Invocation {
  readonly requestId: string;
  readonly signal: AbortSignal;
}

/**
 * Takes one snapshot: gather members, choose one, stream it once into digest, disk, zstd frames and S3, check the file,
 * ask the members whether they hold the same, publish the manifest last. Where most of them hold something else, that snapshot
 * is kept unverified, and another is taken from one of them. A member whose file is damaged or whose stream breaks is left out too,
 * and another is asked within the same run.
 *
 * Nothing that fails leaves a listed snapshot or an open upload, and nothing here writes to etcd.
 *
 * @throws BackupInProgress, BackupOutOfTime, EndpointsDisagree, NoHealthyMember, SnapshotTooLarge, SnapshotTruncated, SnapshotDamaged, StoredBytesDiffer and the
 *   errors of the edges (EtcdTlsRefused, EtcdUnreachable, SnapshotStreamBroken, SpoolFull, StoreFailed)
 */
export function takeSnapshot(
  edges: TakeSnapshotEdges,
  settings: TakeSnapshotSettings,
  event: TakeSnapshotEvent,
  { requestId, signal }: Invocation,
): Promise<TakeSnapshotResult> {
  return tellFailure(edges.telemetry, () => alone(edges, settings, event, { requestId, signal }));
}

async function alone(
  edges: TakeSnapshotEdges,
  settings: TakeSnapshotSettings,
  event: TakeSnapshotEvent,
  { requestId, signal }: Invocation,
): Promise<TakeSnapshotResult> {
  // Lambda repeats a failed request under the same id: it may take over the lock that its own first try died with.
  const lock = await edges.lock.acquire(requestId);
  if (!lock.acquired) {
    const { holder, expiresAt } = lock;
    throw new BackupInProgress(`request ${holder} is taking a snapshot of ${settings.cluster}; its lock expires at ${expiresAt}`);
  }
  try {
    return await beforeTime({ edges, settings, event, signal });
  } finally {
    // A lock that cannot be released expires by itself; the run's own outcome is what must be told.
    await lock.release().catch((error: unknown) => edges.telemetry.warn('lock-not-released', { because: messageOf(error) }));
  }
}

/**
 * Ends the run by itself when its time is nearly over, whatever it waits for: killed by Lambda, it would leave its lock and its upload.
 *
 * @throws BackupOutOfTime
 */
async function beforeTime(run: Run): Promise<TakeSnapshotResult> {
  const { signal } = run;
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
  }
}

/** Only the run that holds the lock may have an upload open: any other was left by one that was killed. */
async function endUploads({ edges }: Run): Promise<void> {
  try {
    const count = await edges.store.abortStaleUploads();
    if (count > 0) edges.telemetry.warn('stale-uploads-aborted', { count });
  } catch (error) {
    // Housekeeping must not stop a backup: the lifecycle of the bucket ends uploads after a day.
    edges.telemetry.warn('stale-uploads-not-aborted', { because: messageOf(error) });
  }
}

async function underLock(run: Run): Promise<TakeSnapshotResult> {
  const { edges } = run;
  await endUploads(run);
  const watch = new Stopwatch(edges.now);
  const view = await watch.time('gather', () => edges.etcd.gather());
  edges.telemetry.count(Metric.memberUnreachable, view.members.filter((member) => !member.reachable).length, 'Count');
  refuseMixedClusters(view);
  const chosen = pick(run, view);
  let first: TakenSnapshot;
  try {
    first = await timed(run, watch, () => takeFromMember(run, view, chosen, watch));
  } catch (error) {
    if (!isOfTheMember(error) || view.members.length === 1) throw error;
    edges.telemetry.warn('another-member', { insteadOf: chosen.endpoint, because: messageOf(error) });
    // Nobody else to take from: what was wrong with this one is the thing to tell.
    return brief(await fromAnother(run, new Map([[chosen.endpoint, `its snapshot failed: ${messageOf(error)}`]]), error));
  }
  if (first.attestation.verdict !== 'minority' || !first.divergence.majority) return brief(first);

  const diverged = first.divergence.members.filter((member) => member.diverged);
  const shunned = new Map(diverged.map(({ endpoint }) => [endpoint, 'holds something else than the majority']));
  return { ...brief(await fromAnother(run, shunned)), insteadOf: first.manifest.id };
}

/** What a member alone is to blame for: its disk, or its connection. Another one may be well. */
const isOfTheMember = (error: unknown): error is LifeboatError => error instanceof LifeboatError && OF_THE_MEMBER.has(error.name);
const OF_THE_MEMBER: ReadonlySet<string> = new Set([
  ErrorName.snapshotDamaged,
  ErrorName.snapshotTruncated,
  ErrorName.snapshotStreamBroken,
]);

/**
 * Takes the snapshot from a member that is not shunned, as the members are now: the first attempt may have taken minutes.
 *
 * @param otherwise what to throw when there is no such member
 */
async function fromAnother(run: Run, shunned: ReadonlyMap<string, string>, otherwise?: Error): Promise<TakenSnapshot> {
  const { edges, signal } = run;
  signal.throwIfAborted();
  const watch = new Stopwatch(edges.now);
  const view = await watch.time('gather', () => edges.etcd.gather());
  if (otherwise !== undefined && chooseMember(view, shunned).chosen === undefined) throw otherwise;
  return timed(run, watch, () => takeFromMember(run, view, pick(run, view, shunned), watch));
}

/** Tells how long each phase took, also of a snapshot that failed. */
async function timed<T>({ edges }: Run, watch: Stopwatch, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    edges.telemetry.log('durations', { durations: watch.durations });
  }
}

/** @throws EtcdTlsRefused, EtcdUnreachable, NoHealthyMember, SnapshotTooLarge */
function pick({ edges, settings }: Run, view: ClusterView, shunned?: ReadonlyMap<string, string>): ChosenMember {
  const { chosen, judgements } = chooseMember(view, shunned);
  if (!chosen) throw noMemberError(view, judgements);
  const { status } = chosen;
  if (status.dbSize > settings.maxDbBytes) {
    throw new SnapshotTooLarge(
      `etcd's database is ${status.dbSize} bytes, more than the ${settings.maxDbBytes} that backup.maxDbSizeGiB allows`,
    );
  }
  edges.telemetry.log('member-chosen', { member: status.name, endpoint: chosen.endpoint, because: chosen.because, judgements });
  return chosen;
}

function brief({ manifest, attestation, divergence }: TakenSnapshot): TakeSnapshotResult {
  const { id, verified, revision, compactRevision, statusHash, totalKeys, plainBytes, stored, member, durations } = manifest;
  return {
    ...{ id, verified, because: attestation.because, revision, compactRevision, statusHash, totalKeys, plainBytes, durations },
    ...{ storedBytes: stored.bytes, key: stored.key, member: member.name },
    diverged: divergence.members.filter((each) => each.diverged).map((each) => each.member),
  };
}
