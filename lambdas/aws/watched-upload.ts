import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { Options } from '@aws-sdk/lib-storage';
import { messageOf } from '../contract/lifeboat-error';

export interface WatchedUpload {
  readonly params: Omit<Options['params'], 'Body'>;
  readonly body: AsyncIterable<Buffer>;
  readonly partBytes: number;
  readonly partsInFlight: number;
}

/** The upload was ended on purpose: `cause` is the error to tell. */
export class BodyFailed extends Error {}

/**
 * Uploads a body in parts. When the body fails, nothing is stored and no upload stays open.
 *
 * @throws BodyFailed, whose cause is what `body` threw; else the error of S3
 */
export async function uploadWatched(s3: S3Client, { params, body, partBytes, partsInFlight }: WatchedUpload): Promise<void> {
  const watched = new WatchedBody(body);
  const upload = new Upload({ client: s3, params: { ...params, Body: watched.stream }, partSize: partBytes, queueSize: partsInFlight });
  try {
    await upload.done();
  } catch (error) {
    await watched.end();
    if (watched.failure !== undefined) throw new BodyFailed('the body failed', { cause: watched.failure });
    throw error;
  }
}

/**
 * A body that remembers why it failed, and that can be ended from outside: when every uploader has given up, nobody reads the
 * rest, and the stream behind it would stay open.
 */
class WatchedBody {
  readonly stream: Readable;
  failure: Error | undefined;

  constructor(body: AsyncIterable<Buffer>) {
    this.stream = Readable.from(this.watch(body), { objectMode: false });
  }

  async end(): Promise<void> {
    if (this.stream.closed) return;
    const closed = once(this.stream, 'close').catch(() => undefined);
    this.stream.destroy();
    await closed;
  }

  private async *watch(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    try {
      yield* body;
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(messageOf(error));
      throw this.failure;
    }
  }
}
