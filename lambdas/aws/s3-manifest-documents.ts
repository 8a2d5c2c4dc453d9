import type { S3Client } from '@aws-sdk/client-s3';
import type { ObjectLock } from '../backup/edges';
import { manifestKey } from '../contract/s3-keys';
import type { ManifestDocuments } from '../restore/stamp-drill';
import { S3Document } from './s3-document';
import type { StoredText } from './s3-document';
import { lockParameters } from './s3-snapshot-store';

/** The manifests of a cluster, for whoever adds to one that is published. */
export class S3ManifestDocuments implements ManifestDocuments {
  constructor(
    private readonly s3: S3Client,
    private readonly bucket: string,
    private readonly cluster: string,
  ) {}

  read(id: string): Promise<StoredText | undefined> {
    return this.document(id).read();
  }

  async write(id: string, text: string, over: string, lock: ObjectLock | undefined): Promise<boolean> {
    return (await this.document(id).write(text, over, lock && lockParameters(lock))) !== undefined;
  }

  private document(id: string): S3Document {
    return new S3Document(this.s3, this.bucket, manifestKey(this.cluster, id), 'the manifest');
  }
}
