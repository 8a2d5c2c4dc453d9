import type { Manifest } from '../contract/manifest';
import { Metric } from '../contract/metrics';
import type { LockPolicy } from '../contract/retention';
import { newSnapshotId } from '../contract/s3-keys';
import type { ClusterView } from '../etcd/cluster-view';
import { SnapshotDamaged } from '../etcd/snapshot';
import type { SnapshotReport } from '../etcd/snapshot';
import { attest, judgeMembers } from './attest';
import type { Attestation, Divergence } from './attest';
import { buildManifest } from './build-manifest';
import { checkAndAsk } from './check-and-ask';
import type { CheckedFile } from './check-and-ask';
import type { ChosenMember } from './choose-member';
import type { ObjectLock } from './edges';
import type { Run } from './run';
import type { Stopwatch } from './stopwatch';
import { streamSnapshot } from './stream-snapshot';

export interface TakenSnapshot {
  readonly manifest: Manifest;
  readonly attestation: Attestation;
  readonly divergence: Divergence;
}

/**
 * Takes one snapshot from one member: stream it once into digest, disk, zstd frames and S3, check the file, ask all members whether they
 * hold the same, publish the manifest last.
 *
 * @param watch gets the milliseconds of each phase, also when the run fails
 * @throws SnapshotTooLarge, SnapshotTruncated, SnapshotDamaged, StoredBytesDiffer and the errors of the edges (SnapshotStreamBroken, SpoolFull, StoreFailed)
 */
export async function takeFromMember(run: Run, view: ClusterView, chosen: ChosenMember, watch: Stopwatch): Promise<TakenSnapshot> {
  const { edges, settings, event } = run;
  const takenAt = edges.now();
  const id = newSnapshotId(takenAt, edges.randomBytes(4));
  const lock = lockFrom(takenAt, settings.lock);
  const pkiGenerations = await edges.pkiGenerations();
  const spool = await edges.disk.open(id);
  let checked: CheckedFile | undefined;
  try {
    const source = edges.etcd.snapshot(chosen.endpoint, run.signal);
    const streamed = await watch.time('stream', () =>
      streamSnapshot(source, spool, edges.store, id, settings.maxDbBytes, lock, async ({ databaseSha256 }) => {
        checked = await checkAndAsk(edges, view, { path: spool.path, databaseSha256 }, watch);
        refuseDamage(checked.report, chosen);
      }),
    );
    if (!checked) throw new SnapshotDamaged(`snapshot ${id} was stored without having been checked`);
    const { report } = checked;
    const answers = await checked.answers;
    const attestation: Attestation = report.hashKvUnavailable
      ? { verdict: 'unknown', because: report.hashKvUnavailable }
      : attest(answers, view.votingMembers);
    const manifest = buildManifest({
      ...{ id, cluster: settings.cluster, takenAt, lock, event, pkiGenerations, durations: watch.durations },
      ...{ chosen, report, hashKv: report.hashKv, streamed, answers, attestation },
    });
    // Whoever gave up on this run has said so and released its lock.
    run.signal.throwIfAborted();
    await edges.store.publish(manifest);
    await edges.noteInLedger(manifest);
    const taken = { manifest, attestation, divergence: judgeMembers(answers, view.votingMembers) };
    tell(run, taken, takenAt);
    return taken;
  } finally {
    await checked?.answers.catch(() => undefined);
    await spool.discard();
  }
}

const lockFrom = (takenAt: Date, { mode, days }: LockPolicy): ObjectLock => ({
  mode,
  until: new Date(takenAt.getTime() + days * 86_400_000).toISOString(),
});

/** @throws SnapshotDamaged for a file that must never be stored */
function refuseDamage(report: SnapshotReport, chosen: ChosenMember): void {
  const [first] = report.problems;
  if (first === undefined && (report.hashKv ?? report.hashKvUnavailable) !== undefined) return;
  const what = first ? `${report.problemCount} problems, first ${first.code}: ${first.message}` : 'its HashKV cannot be computed';
  throw new SnapshotDamaged(
    `the snapshot of ${chosen.status.name || chosen.endpoint} is damaged (${what}): check that member's disk, and take one from another member`,
  );
}

function tell({ edges }: Run, { manifest, divergence }: TakenSnapshot, takenAt: Date): void {
  const { telemetry } = edges;
  // Both of every snapshot: the alarm on an unverified one ends by hearing 0.
  telemetry.count(Metric.snapshotVerified, Number(manifest.verified), 'Count');
  telemetry.count(Metric.snapshotUnverified, Number(!manifest.verified), 'Count');
  telemetry.count(Metric.snapshotPlainBytes, manifest.plainBytes, 'Bytes');
  telemetry.count(Metric.snapshotStoredBytes, manifest.stored.bytes, 'Bytes');
  telemetry.count(Metric.snapshotRevision, manifest.revision, 'Count');
  telemetry.count(Metric.snapshotKeys, manifest.totalKeys, 'Count');
  telemetry.count(Metric.snapshotSeconds, (edges.now().getTime() - takenAt.getTime()) / 1000, 'Seconds');
  for (const { endpoint, diverged } of divergence.members) telemetry.count(Metric.memberDiverged, Number(diverged), 'Count', endpoint);
  const { id, revision, verified, member, hashKv, durations } = manifest;
  const diverged = divergence.members.filter((each) => each.diverged);
  if (diverged.length > 0) telemetry.warn('member-diverged', { id, revision, members: diverged, majority: divergence.majority });
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
