import { createHash } from 'node:crypto';
import { StoredTally, frameOf } from '../../lambdas/backup/zstd-frames';
import type { Manifest } from '../../lambdas/contract/manifest';
import { snapshotKey } from '../../lambdas/contract/s3-keys';
import type { SnapshotSource } from '../../lambdas/restore/plain-blocks';
import { manifest } from '../backup/snapshots';

export const CLUSTER = 'prod';
export const ID = '20261116T110000Z-00000001';

export interface StoredSnapshot {
  readonly plain: Buffer;
  readonly object: Buffer;
  readonly manifest: Manifest;
}

/** A snapshot as a backup stores it, of frames of these sizes. */
export async function storedSnapshot(sizes: readonly number[], overrides: Partial<Manifest> = {}): Promise<StoredSnapshot> {
  const blocks = sizes.map((size, index) => Buffer.alloc(size, `block ${index} of a database, `));
  return storedFile(blocks, overrides);
}

export async function storedFile(blocks: readonly Buffer[], overrides: Partial<Manifest> = {}): Promise<StoredSnapshot> {
  const tally = new StoredTally();
  const stored: Buffer[] = [];
  for (const block of blocks) {
    const frame = await frameOf(block, 1);
    tally.add(frame);
    stored.push(frame.stored);
  }
  const plain = Buffer.concat(blocks);
  return {
    plain,
    object: Buffer.concat(stored),
    manifest: manifest({
      id: ID,
      plainBytes: plain.length,
      plainSha256: createHash('sha256').update(plain).digest('hex'),
      stored: { key: snapshotKey(CLUSTER, ID), bytes: tally.bytes, frames: tally.frames, crc32: tally.crc32 },
      ...overrides,
    }),
  };
}

export interface Request {
  readonly start: number;
  readonly bytes: number;
}

/** What S3 answers: the bytes of the object, unless the test says otherwise. */
export class PretendSource implements SnapshotSource {
  readonly requests: Request[] = [];
  /** Called for each request, with its number from 1; yields what it answers. */
  answer: (request: Request, number: number) => AsyncIterable<Uint8Array> = (request) => this.whole(request);

  constructor(public object: Buffer) {}

  read(_id: string, start: number, bytes: number): AsyncIterable<Uint8Array> {
    this.requests.push({ start, bytes });
    return this.answer({ start, bytes }, this.requests.length);
  }

  async *whole({ start, bytes }: Request): AsyncGenerator<Uint8Array> {
    for (let at = start; at < start + bytes; at += 1000) yield this.object.subarray(at, Math.min(at + 1000, start + bytes));
  }

  /** The first so many bytes, and then the connection is gone. */
  async *broken({ start }: Request, after: number): AsyncGenerator<Uint8Array> {
    yield this.object.subarray(start, start + after);
    throw new Error('aborted');
  }
}
