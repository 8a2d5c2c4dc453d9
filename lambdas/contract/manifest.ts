import { z } from 'zod';
import { Eras } from './pki-generations';
import { isSnapshotId } from './s3-keys';

const count = z.number().int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** CRC-32C as etcd's tools print it: eight hex digits. */
const crc = z.string().regex(/^[0-9a-f]{8}$/);

/** What one member answered to HashKV at the file's revision, and what that says about the file. */
export const MemberAnswer = z.object({
  member: z.string(),
  /** Hexadecimal; missing when the member was not reached. */
  memberId: z.string().optional(),
  endpoint: z.string(),
  answer: z.discriminatedUnion('outcome', [
    z.object({ outcome: z.literal('equal'), hash: crc, compactRevision: z.number().int() }),
    z.object({ outcome: z.literal('different'), hash: crc, expected: crc, compactRevision: z.number().int() }),
    z.object({ outcome: z.literal('incomparable'), because: z.string() }),
    z.object({ outcome: z.enum(['unreachable', 'refused']), because: z.string() }),
  ]),
});
export type MemberAnswer = z.infer<typeof MemberAnswer>;

/** Drills that a manifest remembers. */
export const MOST_DRILLS = 10;

/** A proof, some time after it was taken, that the snapshot is still good. */
export const Drill = z.object({
  at: z.iso.datetime(),
  /** Read and compared by a function, or restored into members that served. */
  kind: z.enum(['in-function', 'restored']),
  passed: z.boolean(),
  /** What was wrong. */
  detail: z.string().optional(),
  seconds: z.number().nonnegative(),
  /** The restore or the request that held it. */
  by: z.string().min(1),
});
export type Drill = Readonly<z.infer<typeof Drill>>;

/**
 * `clusters/<cluster>/snapshots/<id>/manifest.json`, version 1. Written last: this object makes the snapshot exist.
 * Times are ISO 8601 in UTC, sizes bytes, durations milliseconds.
 */
export const Manifest = z.object({
  version: z.literal(1),
  id: z.string().refine(isSnapshotId, { message: 'is not a snapshot id such as 20261123T182815Z-0a1b2c3d' }),
  cluster: z.string().min(1),
  /** The unbroken run of history that the revision counts in; a restore opens a new one. */
  lineage: z.string().min(1),
  trigger: z.enum(['scheduled', 'manual', 'pre-restore', 'pre-rotation']),
  note: z.string().optional(),
  takenAt: z.iso.datetime(),
  /** S3 Object Lock on the object and on this manifest; none on snapshots of versions that did not lock. */
  lock: z.object({ mode: z.enum(['governance', 'compliance']), until: z.iso.datetime() }).optional(),
  member: z.object({ id: z.string(), name: z.string(), endpoint: z.string(), leader: z.boolean() }),
  versions: z.object({ etcd: z.string(), kubernetes: z.string().optional() }),
  /** Read from the file, never from an answer of the server. */
  revision: count,
  compactRevision: z.number().int(),
  statusHash: crc,
  totalKeys: count,
  dbSize: count,
  /** SHA-256 of the whole plain file with its trailer: what `sha256sum` prints after `zstd -d`. */
  plainSha256: sha256,
  plainBytes: count,
  stored: z.object({
    key: z.string(),
    bytes: count,
    /** Independent zstd frames, in order: plain offset, stored offset and both sizes follow from the running sums. */
    frames: z.array(z.tuple([count, count])).describe('[plainBytes, storedBytes] of each frame'),
    /** CRC-32 of the whole stored object, as S3 itself computed and reported it. */
    crc32: crc,
    versionId: z.string().optional(),
  }),
  /** `hash` is missing when the file is sound but cannot be hashed in bounded memory: it is then never called verified. */
  hashKv: z.object({
    revision: count,
    hash: crc.optional(),
    verdict: z.enum(['majority', 'minority', 'unknown']),
    members: z.array(MemberAnswer),
  }),
  /** Live objects per API resource, from the `/registry/` keys at the file's revision. */
  inventory: z.record(z.string(), count),
  /** By which generations of its PKI the cluster lived when the snapshot was begun; empty where nobody knew. */
  pkiGenerations: Eras,
  verified: z.boolean(),
  checks: z.array(z.object({ name: z.string(), passed: z.boolean(), detail: z.string().optional() })),
  durations: z.record(z.string(), z.number().nonnegative()),
  /** Newest first. The one field that is written after the snapshot was published. */
  drills: z.array(Drill).max(MOST_DRILLS).optional(),
});
export type Manifest = z.infer<typeof Manifest>;
