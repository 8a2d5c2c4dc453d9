import type { TakeSnapshotEvent } from '../contract/events';
import type { Manifest, MemberAnswer } from '../contract/manifest';
import type { Eras } from '../contract/pki-generations';
import { snapshotKey } from '../contract/s3-keys';
import type { SnapshotReport } from '../etcd/snapshot';
import type { Attestation } from './attest';
import type { ChosenMember } from './choose-member';
import type { ObjectLock } from './edges';
import type { StreamedSnapshot } from './stream-snapshot';

export interface ManifestParts {
  readonly id: string;
  readonly cluster: string;
  readonly takenAt: Date;
  readonly lock: ObjectLock;
  readonly event: TakeSnapshotEvent;
  readonly chosen: ChosenMember;
  readonly report: SnapshotReport;
  readonly hashKv: SnapshotReport['hashKv'];
  readonly streamed: StreamedSnapshot;
  readonly answers: readonly MemberAnswer[];
  readonly attestation: Attestation;
  readonly pkiGenerations: Eras;
  readonly durations: Readonly<Record<string, number>>;
}

/** Everything that a restore, a retention run or a person needs to know of a snapshot without opening it. */
export function buildManifest(parts: ManifestParts): Manifest {
  const { chosen, report, streamed, attestation, event } = parts;
  const { status } = chosen;
  const majority = attestation.verdict === 'majority';
  return {
    version: 1,
    id: parts.id,
    cluster: parts.cluster,
    lineage: status.clusterId,
    trigger: event.trigger,
    ...(event.note === undefined ? {} : { note: event.note }),
    takenAt: parts.takenAt.toISOString(),
    lock: parts.lock,
    member: { id: status.id, name: status.name, endpoint: chosen.endpoint, leader: chosen.leader },
    versions: { etcd: status.version },
    revision: report.revision,
    compactRevision: report.compactRevision,
    statusHash: report.statusHash,
    totalKeys: report.totalKeys,
    dbSize: report.dbSize,
    plainSha256: streamed.digest.plainSha256,
    plainBytes: streamed.digest.plainBytes,
    stored: {
      key: snapshotKey(parts.cluster, parts.id),
      bytes: streamed.stored.bytes,
      frames: streamed.tally.frames,
      crc32: streamed.stored.crc32,
      ...(streamed.stored.versionId === undefined ? {} : { versionId: streamed.stored.versionId }),
    },
    hashKv: { revision: report.revision, hash: parts.hashKv?.hash, verdict: attestation.verdict, members: [...parts.answers] },
    inventory: { ...report.inventory },
    pkiGenerations: parts.pkiGenerations,
    verified: majority,
    checks: [
      ...report.checks,
      {
        name: 'stored-object',
        passed: true,
        detail: `S3 reports CRC-32 ${streamed.stored.crc32} over ${streamed.stored.bytes} bytes, as sent`,
      },
      { name: 'majority', passed: majority, detail: attestation.because },
    ],
    durations: { ...parts.durations },
  };
}
