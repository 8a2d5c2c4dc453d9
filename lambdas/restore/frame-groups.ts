import type { Manifest } from '../contract/manifest';
import { ManifestDamaged } from './errors';

/** Where one frame lies in the stored object, and what it holds. */
export interface PlacedFrame {
  readonly start: number;
  readonly storedBytes: number;
  readonly plainBytes: number;
}

/** Frames that lie one behind the other and are read by one request. */
export interface FrameGroup {
  readonly start: number;
  readonly bytes: number;
  readonly frames: readonly PlacedFrame[];
}

/** Large enough that the time to the first byte is small beside it, small enough that a few in flight stay cheap. */
const GROUP_BYTES = 8 * 1024 * 1024;
/** Backups write 4 MiB. A manifest that asks for more memory than this was not written by one. */
const LARGEST_FRAME_BYTES = 64 * 1024 * 1024;

/**
 * The requests that read a stored snapshot once, in order.
 *
 * @throws ManifestDamaged when the frames do not add up to the object and to the file, or one is larger than any that is written
 */
export function groupFrames({ id, stored, plainBytes }: Pick<Manifest, 'id' | 'stored' | 'plainBytes'>): FrameGroup[] {
  const groups: { start: number; bytes: number; frames: PlacedFrame[] }[] = [];
  let [start, plain] = [0, 0];
  for (const [framePlain, frameStored] of stored.frames) {
    if (framePlain < 1 || frameStored < 1 || Math.max(framePlain, frameStored) > LARGEST_FRAME_BYTES)
      throw damaged(id, `a frame of ${frameStored} stored and ${framePlain} plain bytes`);
    const last = groups.at(-1);
    const frame = { start, storedBytes: frameStored, plainBytes: framePlain };
    if (last !== undefined && last.bytes + frameStored <= GROUP_BYTES) {
      last.frames.push(frame);
      last.bytes += frameStored;
    } else groups.push({ start, bytes: frameStored, frames: [frame] });
    start += frameStored;
    plain += framePlain;
  }
  if (start !== stored.bytes || plain !== plainBytes)
    throw damaged(id, `frames of ${start} stored and ${plain} plain bytes, but an object of ${stored.bytes} and a file of ${plainBytes}`);
  return groups;
}

const damaged = (id: string, what: string): ManifestDamaged =>
  new ManifestDamaged(`the manifest of ${id} names ${what}: take another snapshot, or an earlier version of this manifest`);
