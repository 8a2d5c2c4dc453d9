import { crc32 } from 'node:zlib';
import type { Telemetry } from '../backup/edges';
import { hexOfCrc, inOrder, plainOf } from '../backup/zstd-frames';
import { LifeboatError, messageOf } from '../contract/lifeboat-error';
import type { Manifest } from '../contract/manifest';
import { RestoreOutOfTime, SnapshotReadBroken, StoredSnapshotDamaged } from './errors';
import { groupFrames } from './frame-groups';
import type { FrameGroup, PlacedFrame } from './frame-groups';

/** Where stored snapshots are read. */
export interface SnapshotSource {
  /**
   * Some bytes of the object. It may break off anywhere, with an error that is none of ours.
   *
   * @throws SnapshotNotFound, StoredSnapshotDamaged for an object that ends before these bytes do, and StoreFailed for a request that was refused or got no answer after the SDK's own tries
   */
  read(id: string, start: number, bytes: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface ReadEdges {
  readonly source: SnapshotSource;
  readonly telemetry: Telemetry;
  readonly wait: (milliseconds: number) => Promise<void>;
  /** Aborts when the function's time is nearly over. */
  readonly signal: AbortSignal;
}

/** Requests at once: one connection to S3 gives 50 to 90 MB/s at best, and zstd asks for a part of what the link then carries. */
const GROUPS_IN_FLIGHT = 4;
/** Bodies of one group that may break off. */
const TRIES = 5;
const FIRST_WAIT_MS = 200;

/**
 * The plain file, block by block, from one reading of the stored object. Memory is a few groups of frames, whatever the size.
 *
 * A body that breaks off is read on from its last whole frame. A frame that does not decompress is read once more by itself, since what
 * damaged it may have been the way and not the place.
 *
 * @throws StoredSnapshotDamaged for a frame that stays damaged, or bytes whose CRC-32 is not the manifest's; ManifestDamaged,
 * SnapshotReadBroken, RestoreOutOfTime, and what the source throws
 */
export async function* plainBlocks(edges: ReadEdges, manifest: Manifest): AsyncGenerator<Buffer> {
  const fetched = inOrder(groupFrames(manifest), (group) => fetchGroup(edges, manifest.id, group), GROUPS_IN_FLIGHT);
  let crc = 0;
  for await (const { stored, plain } of inOrder(framesOf(fetched), (frame) => unpack(edges, manifest.id, frame))) {
    crc = crc32(stored, crc);
    yield plain;
  }
  if (hexOfCrc(crc) !== manifest.stored.crc32)
    throw new StoredSnapshotDamaged(
      `the stored bytes of ${manifest.id} have CRC-32 ${hexOfCrc(crc)}, the manifest says ${manifest.stored.crc32}`,
    );
}

interface FetchedFrame extends PlacedFrame {
  readonly stored: Buffer;
}

async function* framesOf(groups: AsyncIterable<readonly FetchedFrame[]>): AsyncGenerator<FetchedFrame> {
  for await (const group of groups) yield* group;
}

async function unpack(edges: ReadEdges, id: string, frame: FetchedFrame): Promise<{ readonly stored: Buffer; readonly plain: Buffer }> {
  try {
    return { stored: frame.stored, plain: await plainOf(frame.stored, frame.plainBytes) };
  } catch (error) {
    edges.telemetry.warn('frame-read-again', { id, at: frame.start, because: messageOf(error) });
  }
  const [again] = await fetchGroup(edges, id, { start: frame.start, bytes: frame.storedBytes, frames: [frame] });
  const stored = again?.stored ?? Buffer.alloc(0);
  try {
    return { stored, plain: await plainOf(stored, frame.plainBytes) };
  } catch (cause) {
    const where = `the frame at byte ${frame.start} of ${id}`;
    throw new StoredSnapshotDamaged(`${where} does not decompress, also when it is read again: ${messageOf(cause)}`, { cause });
  }
}

async function fetchGroup(edges: ReadEdges, id: string, group: FrameGroup): Promise<FetchedFrame[]> {
  const bytes = Buffer.allocUnsafeSlow(group.bytes);
  let from = 0;
  for (let attempt = 1; from < group.bytes; attempt++) {
    const { received, broke } = await receive(edges, id, group, bytes, from);
    if (broke === undefined) break;
    if (broke instanceof LifeboatError) throw broke;
    if (attempt === TRIES) {
      const where = `byte ${group.start + received} of ${id}`;
      throw new SnapshotReadBroken(`S3 broke off ${TRIES} times, at last at ${where} (${broke.message}): run it again`, { cause: broke });
    }
    from = wholeFramesIn(group, received);
    edges.telemetry.warn('read-broke-off', { id, at: group.start + received, because: messageOf(broke), attempt });
    await edges.wait(FIRST_WAIT_MS * 2 ** (attempt - 1));
  }
  return group.frames.map((frame) => {
    const at = frame.start - group.start;
    return { ...frame, stored: bytes.subarray(at, at + frame.storedBytes) };
  });
}

/** One request, from `from` on; how far it came, and what ended it before the end. */
async function receive({ source, signal }: ReadEdges, id: string, group: FrameGroup, into: Buffer, from: number) {
  let received = from;
  try {
    for await (const chunk of source.read(id, group.start + from, group.bytes - from, signal)) {
      if (received + chunk.length > group.bytes) throw new Error('S3 sent more than it was asked for');
      into.set(chunk, received);
      received += chunk.length;
    }
    if (received < group.bytes) throw new Error('the body ended early');
    return { received, broke: undefined };
  } catch (error) {
    return { received, broke: outOfTime(signal, id) ?? (error instanceof Error ? error : new Error(messageOf(error))) };
  }
}

/** Bytes of the frames that are there as a whole. */
const wholeFramesIn = ({ start, frames }: FrameGroup, received: number): number =>
  frames.reduce((whole, frame) => {
    const end = frame.start - start + frame.storedBytes;
    return end <= received ? end : whole;
  }, 0);

const outOfTime = (signal: AbortSignal, id: string): RestoreOutOfTime | undefined =>
  signal.aborted
    ? new RestoreOutOfTime(`the function's time was over before ${id} was read: run it again, and see that S3 is reached by a fast route`)
    : undefined;
