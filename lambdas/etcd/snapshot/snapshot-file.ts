import { closeSync, fstatSync, openSync, read, readSync } from 'node:fs';
import { SnapshotUnreadable } from './errors';
import { messageOf } from '../../contract/lifeboat-error';

/**
 * A file that is read in pieces at given offsets. The size is taken once, at opening.
 *
 * Every method throws {@link SnapshotUnreadable} when the system refuses; a read that reaches behind the end returns fewer bytes.
 */
export class SnapshotFile {
  private constructor(
    private readonly path: string,
    private readonly descriptor: number,
    readonly size: number,
  ) {}

  static open(path: string): SnapshotFile {
    let descriptor: number | undefined;
    try {
      descriptor = openSync(path, 'r');
      const status = fstatSync(descriptor);
      if (!status.isFile()) throw new Error('it is not a regular file');
      return new SnapshotFile(path, descriptor, status.size);
    } catch (cause) {
      if (descriptor !== undefined) closeSync(descriptor);
      throw new SnapshotUnreadable(`cannot open snapshot ${path}: ${messageOf(cause)}`, { cause });
    }
  }

  /** Reads up to `length` bytes at `position` of the file to `at` of the target; returns how many there were. */
  readSync(target: Uint8Array, at: number, length: number, position: number): number {
    try {
      let got = 0;
      for (let part = -1; got < length && part !== 0; got += part)
        part = readSync(this.descriptor, target, at + got, length - got, position + got);
      return got;
    } catch (cause) {
      throw this.unreadable(position, cause);
    }
  }

  /** As {@link readSync}, on a thread of its own while the caller goes on. */
  async read(target: Uint8Array, at: number, length: number, position: number): Promise<number> {
    let got = 0;
    for (let part = -1; got < length && part !== 0; got += part) part = await this.readPart(target, at + got, length - got, position + got);
    return got;
  }

  private readPart(target: Uint8Array, at: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.descriptor, target, at, length, position, (error, bytes) => {
        if (error) reject(this.unreadable(position, error));
        else resolve(bytes);
      });
    });
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private unreadable(position: number, cause: unknown): SnapshotUnreadable {
    return new SnapshotUnreadable(`cannot read snapshot ${this.path} at byte ${position}: ${messageOf(cause)}`, { cause });
  }
}
