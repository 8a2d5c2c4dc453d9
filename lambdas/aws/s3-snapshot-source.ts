import type { Readable } from 'node:stream';
import { GetObjectCommand, NoSuchKey } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { messageOf } from '../contract/lifeboat-error';
import { snapshotKey } from '../contract/s3-keys';
import { SnapshotNotFound } from '../restore/errors';
import type { SnapshotSource } from '../restore/plain-blocks';
import { StoreFailed } from './errors';

/** The SDK's own limits end with the first byte of a body; one of 8 MiB that takes longer than this has stopped coming. */
const BODY_MS = 60_000;

/** The objects of a cluster's snapshots, read by ranges. */
export class S3SnapshotSource implements SnapshotSource {
  constructor(
    private readonly s3: S3Client,
    private readonly bucket: string,
    private readonly cluster: string,
  ) {}

  async *read(id: string, start: number, bytes: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(BODY_MS)]);
    const body = await this.ask(id, `bytes=${start}-${start + bytes - 1}`, abortSignal);
    const end = () => void body.destroy(new Error('the time for this range is over'));
    abortSignal.addEventListener('abort', end, { once: true });
    try {
      yield* body as AsyncIterable<Uint8Array>;
    } finally {
      abortSignal.removeEventListener('abort', end);
    }
  }

  private async ask(id: string, Range: string, abortSignal: AbortSignal): Promise<Readable> {
    const Key = snapshotKey(this.cluster, id);
    try {
      const { Body } = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key, Range }), { abortSignal });
      return Body as Readable;
    } catch (error) {
      if (error instanceof NoSuchKey)
        throw new SnapshotNotFound(`snapshot ${id} has a manifest and no object s3://${this.bucket}/${Key}: take another snapshot`, {
          cause: error,
        });
      throw new StoreFailed(`cannot read s3://${this.bucket}/${Key}: ${messageOf(error)}`, { cause: error });
    }
  }
}
