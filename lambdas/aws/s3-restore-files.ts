import { HeadObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import type { StoredObject } from '../backup/edges';
import { messageOf } from '../contract/lifeboat-error';
import { RESTORE_TAG, restoreKey } from '../contract/s3-keys';
import type { PlainFile, PlainFiles } from '../restore/materialize-snapshot';
import { StoreFailed } from './errors';
import { storeInParts } from './s3-upload';

/** Under which the file says of itself what it is; S3 keeps it with the object. */
const SHA256 = 'plain-sha256';

/** The plain snapshot files of a cluster's restores. They are not locked, and go after some days by their tag. */
export class S3RestoreFiles implements PlainFiles {
  constructor(
    private readonly s3: S3Client,
    private readonly bucket: string,
    private readonly cluster: string,
  ) {}

  urlOf(restoreId: string): string {
    return `s3://${this.bucket}/${this.key(restoreId)}`;
  }

  async find(restoreId: string): Promise<PlainFile | undefined> {
    try {
      const found = await this.s3.send(new HeadObjectCommand({ Bucket: this.bucket, Key: this.key(restoreId) }));
      return { bytes: found.ContentLength ?? 0, sha256: found.Metadata?.[SHA256] ?? '' };
    } catch (error) {
      // The answer to HEAD has no body, and so no code: NotFound or NoSuchKey, whatever the SDK makes of 404.
      if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return undefined;
      throw new StoreFailed(`cannot look for ${this.urlOf(restoreId)}: ${messageOf(error)}`, { cause: error });
    }
  }

  store(restoreId: string, sha256: string, body: AsyncIterable<Buffer>): Promise<StoredObject> {
    const upload = {
      Bucket: this.bucket,
      Key: this.key(restoreId),
      ContentType: 'application/octet-stream',
      Metadata: { [SHA256]: sha256 },
      Tagging: new URLSearchParams({ [RESTORE_TAG.key]: RESTORE_TAG.value }).toString(),
    };
    return storeInParts(this.s3, upload, body);
  }

  private key(restoreId: string): string {
    return restoreKey(this.cluster, restoreId, 'snapshot.db');
  }
}
