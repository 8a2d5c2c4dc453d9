import type { Readable } from 'node:stream';
import { GetObjectCommand, NoSuchKey, S3ServiceException } from '@aws-sdk/client-s3';
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { messageOf } from '../contract/lifeboat-error';
import { snapshotKey } from '../contract/s3-keys';
import { SnapshotNotFound, StoredSnapshotDamaged } from '../restore/errors';
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
    const body = await this.ask(id, start, start + bytes - 1, abortSignal);
    const end = () => void body.destroy(new Error('the time for this range is over'));
    abortSignal.addEventListener('abort', end, { once: true });
    try {
      yield* body as AsyncIterable<Uint8Array>;
    } finally {
      abortSignal.removeEventListener('abort', end);
    }
  }

  private async ask(id: string, first: number, last: number, abortSignal: AbortSignal): Promise<Readable> {
    const Key = snapshotKey(this.cluster, id);
    const short = (size: string) =>
      new StoredSnapshotDamaged(`the object of ${id} has ${size}, and its manifest counts on byte ${last}: s3://${this.bucket}/${Key}`);
    let found: GetObjectCommandOutput;
    try {
      const ask = new GetObjectCommand({ Bucket: this.bucket, Key, Range: `bytes=${first}-${last}` });
      found = await this.s3.send(ask, { abortSignal });
    } catch (error) {
      if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 416) throw short(`no byte ${first}`);
      if (error instanceof NoSuchKey)
        throw new SnapshotNotFound(`snapshot ${id} has a manifest and no object s3://${this.bucket}/${Key}: take another snapshot`, {
          cause: error,
        });
      throw new StoreFailed(`cannot read s3://${this.bucket}/${Key}: ${messageOf(error)}`, { cause: error });
    }
    const body = found.Body as Readable;
    // An object that ends earlier is answered with what there is: `bytes 0-99/100`.
    const [range, size] = (found.ContentRange ?? '').split('/');
    if (range === `bytes ${first}-${last}`) return body;
    body.destroy();
    throw short(`${size ?? 'an unknown number of'} bytes`);
  }
}
