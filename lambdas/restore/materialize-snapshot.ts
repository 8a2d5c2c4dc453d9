import { createHash } from 'node:crypto';
import { crc32, zstdDecompress } from 'node:zlib';
import { promisify } from 'node:util';
import { z } from 'zod';
import { parseManifest } from '../backup/catalog';
import type { Telemetry } from '../backup/edges';
import { inOrder } from '../backup/zstd-frames';
import { messageOf } from '../contract/lifeboat-error';
import type { Manifest } from '../contract/manifest';
import { RestoreId } from '../contract/restore';
import { isSnapshotId } from '../contract/s3-keys';
import { RestoreRefused, SnapshotNotWhole } from './errors';

export const MaterializeEvent = z.object({ restoreId: RestoreId, snapshotId: z.string().refine(isSnapshotId) });
export type MaterializeEvent = z.infer<typeof MaterializeEvent>;

export interface MaterializeEdges {
  readonly cluster: string;
  readonly readManifest: (id: string) => Promise<string | undefined>;
  /** So many bytes of the stored object from an offset on. @throws StoreFailed */
  readonly readRange: (key: string, from: number, bytes: number) => Promise<Buffer>;
  /** SHA-256 and size of the plain file that is there already, as they were written with it. */
  readonly stored: (restoreId: string) => Promise<{ readonly bytes: number; readonly sha256: string } | undefined>;
  /** Stores the file; when `body` throws nothing is stored, and that error is thrown on. */
  readonly store: (restoreId: string, sha256: string, body: AsyncIterable<Buffer>) => Promise<{ readonly url: string }>;
  /** Where it lies, or would. */
  readonly url: (restoreId: string) => string;
  readonly telemetry: Pick<Telemetry, 'log'>;
}

export interface Materialized {
  readonly was: 'there' | 'made';
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A few frames are fetched at once, so that the time of a request counts less than that of its bytes. */
const RANGE_BYTES = 8 * 1024 * 1024;
const decompress = promisify(zstdDecompress);

/**
 * Makes the plain file that nodes download out of the stored frames. Nothing is stored unless every byte is what the manifest says.
 *
 * @throws RestoreRefused when the manifest is gone or damaged
 * @throws SnapshotNotWhole when S3 holds other bytes than the manifest says
 * @throws StoreFailed
 */
export async function materializeSnapshot(edges: MaterializeEdges, { restoreId, snapshotId }: MaterializeEvent): Promise<Materialized> {
  const manifest = await manifestOf(edges, snapshotId);
  const { plainSha256: sha256, plainBytes: bytes } = manifest;
  const there = await edges.stored(restoreId);
  if (there?.sha256 === sha256 && there.bytes === bytes) return { was: 'there', url: edges.url(restoreId), bytes, sha256 };
  const { url } = await edges.store(restoreId, sha256, plainBytesOf(edges, manifest));
  edges.telemetry.log('snapshot-materialized', { restoreId, snapshot: snapshotId, bytes });
  return { was: 'made', url, bytes, sha256 };
}

async function manifestOf({ cluster, readManifest }: MaterializeEdges, id: string): Promise<Manifest> {
  const text = await readManifest(id);
  if (text === undefined) throw new RestoreRefused(`snapshot ${id} is not listed any more: start a new execution with another one`);
  const parsed = parseManifest(text);
  if ('wrong' in parsed)
    throw new RestoreRefused(`the manifest of ${id} does not parse (${parsed.wrong}): start a new execution with another snapshot`);
  if (parsed.manifest.id !== id || parsed.manifest.cluster !== cluster)
    throw new RestoreRefused(
      `the manifest of ${id} is of ${parsed.manifest.cluster} ${parsed.manifest.id}: start a new execution with another snapshot`,
    );
  return parsed.manifest;
}

interface Range {
  readonly from: number;
  readonly frames: readonly (readonly [plainBytes: number, storedBytes: number])[];
}

/** Neighbouring frames of about a range's size. */
export function rangesOf(frames: Manifest['stored']['frames']): Range[] {
  const ranges: { from: number; bytes: number; frames: [number, number][] }[] = [];
  let from = 0;
  for (const frame of frames) {
    const last = ranges.at(-1);
    if (last === undefined || last.bytes + frame[1] > RANGE_BYTES) ranges.push({ from, bytes: frame[1], frames: [frame] });
    else {
      last.frames.push(frame);
      last.bytes += frame[1];
    }
    from += frame[1];
  }
  return ranges;
}

/** The plain bytes in their order; throws at its end when they are not those of the manifest, so that nothing is stored. */
async function* plainBytesOf(edges: MaterializeEdges, manifest: Manifest): AsyncGenerator<Buffer> {
  const { id, stored, plainSha256 } = manifest;
  const differs = (what: string, cause?: unknown): SnapshotNotWhole =>
    new SnapshotNotWhole(
      `snapshot ${id} is not what its manifest says: ${what}; start a new execution with another snapshot, or take this one from the replica`,
      { cause },
    );
  const hash = createHash('sha256');
  let checksum = 0;
  const fetched = inOrder(eachOf(rangesOf(stored.frames)), async ({ from, frames }) => {
    const bytes = frames.reduce((sum, [, storedBytes]) => sum + storedBytes, 0);
    const block = await edges.readRange(stored.key, from, bytes);
    if (block.length !== bytes) throw differs(`S3 gave ${block.length} of ${bytes} bytes from ${from} on`);
    let at = 0;
    const plain: Buffer[] = [];
    for (const [plainBytes, storedBytes] of frames) {
      const frame = block.subarray(at, at + storedBytes);
      at += storedBytes;
      const content = await decompress(frame, { chunkSize: Math.max(64, plainBytes), maxOutputLength: Math.max(64, plainBytes) }).catch(
        (error: unknown) => {
          throw differs(`the frame at ${from + at - storedBytes} does not decompress (${messageOf(error)})`, error);
        },
      );
      if (content.length !== plainBytes)
        throw differs(`the frame at ${from + at - storedBytes} holds ${content.length} bytes, not ${plainBytes}`);
      plain.push(content);
    }
    return { block, plain };
  });
  for await (const { block, plain } of fetched) {
    checksum = crc32(block, checksum);
    for (const content of plain) {
      hash.update(content);
      yield content;
    }
  }
  if (checksum.toString(16).padStart(8, '0') !== stored.crc32) throw differs('the CRC-32 of the stored bytes is another one');
  if (hash.digest('hex') !== plainSha256) throw differs('the SHA-256 of the plain bytes is another one');
}

// eslint-disable-next-line @typescript-eslint/require-await -- a list as what `inOrder` takes
async function* eachOf<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
