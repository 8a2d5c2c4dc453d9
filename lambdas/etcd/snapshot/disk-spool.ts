import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ErrorName } from '../../contract/errors';
import { LifeboatError, messageOf } from '../../contract/lifeboat-error';

/** The function's disk has no room for the snapshot. */
export class SpoolFull extends LifeboatError {
  override readonly name = ErrorName.spoolFull;
  readonly retryable = false;
}

/** One snapshot on the function's own disk while it is checked. */
export interface DiskSpool {
  readonly path: string;
  /** @throws SpoolFull when the disk has no room */
  write(block: Uint8Array): Promise<void>;
  /** Closes the file for reading back; nothing may be written after it. */
  finish(): Promise<void>;
  /** Closes and deletes; safe at any time, more than once. */
  discard(): Promise<void>;
}

/**
 * Opens `<folder>/<name>.db`, mode 0600, after removing what an earlier run that was killed left there: a warm
 * Lambda environment keeps its /tmp, and two snapshots would not fit.
 *
 * @throws SpoolFull when even that finds no room
 */
export async function openSpool(folder: string, name: string): Promise<DiskSpool> {
  const path = join(folder, `${name}.db`);
  let written = 0;
  const named = (error: unknown): Error => {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EFBIG') return error instanceof Error ? error : new Error(messageOf(error));
    return new SpoolFull(`${folder} is full after ${written} bytes of the snapshot: raise backup.maxDbSizeGiB and deploy again`, {
      cause: error,
    });
  };
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const left of await readdir(folder)) if (left.endsWith('.db')) await rm(join(folder, left), { force: true });
    const file = await open(path, 'wx', 0o600);
    let closed = false;
    const close = async () => {
      if (closed) return;
      closed = true;
      await file.close();
    };
    return {
      path,
      write: async (block) => {
        try {
          for (let from = 0; from < block.length;) from += (await file.write(block, from)).bytesWritten;
          written += block.length;
        } catch (error) {
          throw named(error);
        }
      },
      finish: close,
      discard: async () => {
        await close().catch(() => undefined);
        await rm(path, { force: true });
      },
    };
  } catch (error) {
    throw named(error);
  }
}
