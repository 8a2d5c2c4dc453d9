import {
  AbortMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ObjectLockMode,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { ListMultipartUploadsCommandOutput, MultipartUpload, S3Client } from '@aws-sdk/client-s3';
import type { ObjectLock, SnapshotStore, StoredObject } from '../backup/edges';
import { messageOf } from '../contract/lifeboat-error';
import type { Manifest } from '../contract/manifest';
import { manifestKey, snapshotKey, snapshotsPrefix } from '../contract/s3-keys';
import { StoreFailed } from './errors';
import { storeInParts } from './s3-upload';

/** Snapshots of one cluster in one bucket. */
export class S3SnapshotStore implements SnapshotStore {
  constructor(
    private readonly s3: S3Client,
    private readonly bucket: string,
    private readonly cluster: string,
  ) {}

  async storeSnapshot(id: string, body: AsyncIterable<Buffer>, lock: ObjectLock): Promise<StoredObject> {
    const Key = snapshotKey(this.cluster, id);
    return storeInParts(this.s3, { Bucket: this.bucket, Key, ContentType: 'application/zstd', ...lockParameters(lock) }, body);
  }

  async publish(manifest: Manifest): Promise<void> {
    const Key = manifestKey(this.cluster, manifest.id);
    const text = JSON.stringify(manifest, undefined, 1);
    try {
      await this.s3.send(
        new PutObjectCommand({
          Bucket: this.bucket,
          Key,
          Body: text,
          ContentType: 'application/json',
          ChecksumAlgorithm: 'SHA256',
          IfNoneMatch: '*',
          ...(manifest.lock && lockParameters(manifest.lock)),
        }),
      );
    } catch (error) {
      if (await this.holds(Key, text)) return;
      throw this.failed('publish', Key, error);
    }
  }

  async abortStaleUploads(): Promise<number> {
    const prefix = snapshotsPrefix(this.cluster);
    try {
      const found = await this.openUploads(prefix);
      for (const upload of found) await this.abort(upload);
      return found.length;
    } catch (error) {
      throw this.failed('clean up uploads under', prefix, error);
    }
  }

  private async abort({ Key, UploadId }: MultipartUpload): Promise<void> {
    try {
      await this.s3.send(new AbortMultipartUploadCommand({ Bucket: this.bucket, Key, UploadId }));
    } catch (error) {
      // The lifecycle rule was faster.
      if (!(error instanceof S3ServiceException && error.name === 'NoSuchUpload')) throw error;
    }
  }

  /** Whether the object holds just this text: a conditional write that was repeated fails on its own first success. */
  private async holds(Key: string, text: string): Promise<boolean> {
    const stored = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key })).catch(() => undefined);
    return (await stored?.Body?.transformToString()) === text;
  }

  /** Every open upload under the prefix; the SDK has no paginator for this call. */
  private async openUploads(prefix: string): Promise<MultipartUpload[]> {
    const found: MultipartUpload[] = [];
    let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
    while (marker) {
      const page: ListMultipartUploadsCommandOutput = await this.s3.send(
        new ListMultipartUploadsCommand({ Bucket: this.bucket, Prefix: prefix, ...marker }),
      );
      found.push(...(page.Uploads ?? []));
      marker = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined;
    }
    return found;
  }

  private failed(action: string, key: string, error: unknown): StoreFailed {
    return new StoreFailed(`cannot ${action} s3://${this.bucket}/${key}: ${messageOf(error)}`, { cause: error });
  }
}

/** S3 asks for a checksum with every request that sets these: both writers send one. */
export const lockParameters = ({ mode, until }: ObjectLock) => ({
  ObjectLockMode: mode === 'compliance' ? ObjectLockMode.COMPLIANCE : ObjectLockMode.GOVERNANCE,
  ObjectLockRetainUntilDate: new Date(until),
});
