import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { StoredObject } from '../backup/edges';
import { StoredBytesDiffer } from '../backup/errors';
import { hexOfCrc } from '../backup/zstd-frames';
import type { Manifest } from '../contract/manifest';
import type { MaterializeEvent } from '../contract/restore-events';
import { anotherThan } from './another-snapshot';
import type { SnapshotList } from './another-snapshot';
import { StoredSnapshotDamaged } from './errors';
import { findSnapshot } from './find-snapshot';
import { plainBlocks } from './plain-blocks';
import type { ReadEdges } from './plain-blocks';

/** A plain file as S3 tells of it. */
export interface PlainFile {
  readonly bytes: number;
  /** What its writer proved before S3 had the whole of it; empty when nothing says so. */
  readonly sha256: string;
}

/** Where plain files go. Every call may throw StoreFailed. */
export interface PlainFiles {
  urlOf(restoreId: string): string;
  find(restoreId: string): Promise<PlainFile | undefined>;
  /** Stores the bytes under that checksum. When `body` throws, which passes through, nothing is stored and no upload stays open. */
  store(restoreId: string, sha256: string, body: AsyncIterable<Buffer>): Promise<StoredObject>;
}

export interface MaterializeEdges extends ReadEdges {
  readonly catalog: SnapshotList;
  readonly files: PlainFiles;
  readonly now: () => Date;
}

export interface MaterializeResult {
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Whether an earlier run had made it. */
  readonly was: 'there' | 'made';
  readonly seconds: number;
}

/**
 * Puts the plain file of a stored snapshot where every node can fetch it. Safe to repeat: a file that is there is left as it is.
 *
 * The object is there only when size, SHA-256 and CRC-32 are those of the manifest: a single byte that differs ends the upload.
 *
 * @throws StoredSnapshotDamaged with which snapshot to try instead; what `findSnapshot` throws; StoreFailed, StoredBytesDiffer,
 * ManifestDamaged, RestoreOutOfTime
 */
export async function materializeSnapshot(
  edges: MaterializeEdges,
  cluster: string,
  { restoreId, snapshotId, allowUnverified }: MaterializeEvent,
): Promise<MaterializeResult> {
  const { files, telemetry } = edges;
  const started = edges.now().getTime();
  const manifest = await findSnapshot(edges.catalog, { cluster, id: snapshotId, allowUnverified });
  const { plainBytes: bytes, plainSha256: sha256 } = manifest;
  const found = await files.find(restoreId);
  const was = found?.bytes === bytes && found.sha256 === sha256 ? 'there' : 'made';
  if (was === 'made') await make(edges, cluster, restoreId, manifest);
  const seconds = (edges.now().getTime() - started) / 1000;
  const result = { url: files.urlOf(restoreId), bytes, sha256, was, seconds } as const;
  telemetry.log('snapshot-materialized', { id: snapshotId, ...result });
  return result;
}

async function make(edges: MaterializeEdges, cluster: string, restoreId: string, manifest: Manifest): Promise<void> {
  const sent = { bytes: 0, crc: 0 };
  async function* body(): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    for await (const block of plainBlocks(edges, manifest)) {
      hash.update(block);
      sent.bytes += block.length;
      sent.crc = crc32(block, sent.crc);
      yield block;
    }
    const sha256 = hash.digest('hex');
    if (sent.bytes !== manifest.plainBytes || sha256 !== manifest.plainSha256)
      throw new StoredSnapshotDamaged(
        `${manifest.id} decompresses to ${sent.bytes} bytes with SHA-256 ${sha256}, the manifest says ${manifest.plainBytes} and ${manifest.plainSha256}`,
      );
  }
  try {
    const stored = await edges.files.store(restoreId, manifest.plainSha256, body());
    if (stored.bytes !== sent.bytes || stored.crc32 !== hexOfCrc(sent.crc))
      throw new StoredBytesDiffer(
        `S3 holds ${stored.bytes} bytes with CRC-32 ${stored.crc32} at ${edges.files.urlOf(restoreId)}, ${sent.bytes} with ${hexOfCrc(sent.crc)} were sent: delete that object, and run this again`,
      );
  } catch (error) {
    if (!(error instanceof StoredSnapshotDamaged)) throw error;
    const instead = await anotherThan(edges.catalog, cluster, manifest.id);
    throw new StoredSnapshotDamaged(`${error.message}. Nothing was stored; ${instead}`, { cause: error });
  }
}
