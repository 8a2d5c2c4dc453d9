import {
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  S3ServiceException,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import type { ListedObject } from '../backup/catalog';
import type { Removal, SnapshotCatalog } from '../backup/prune-snapshots';
import { messageOf } from '../contract/lifeboat-error';
import { manifestKey, pruneStateKey, snapshotKey, snapshotsPrefix } from '../contract/s3-keys';
import { StoreFailed } from './errors';

/**
 * The stored snapshots of one cluster, for whoever reads their manifests or removes them.
 *
 * A removal sets a delete marker and names no version: the bucket's lifecycle drops the version behind it later, S3 itself
 * holds it as long as it is locked, and until then a person can take it back.
 */
export class S3SnapshotCatalog implements SnapshotCatalog {
  constructor(
    private readonly s3: S3Client,
    private readonly bucket: string,
    private readonly cluster: string,
  ) {}

  async list(): Promise<ListedObject[]> {
    const Prefix = snapshotsPrefix(this.cluster);
    const found: ListedObject[] = [];
    try {
      for await (const page of paginateListObjectsV2({ client: this.s3 }, { Bucket: this.bucket, Prefix })) {
        for (const { Key, LastModified, Size } of page.Contents ?? []) {
          if (Key !== undefined && LastModified !== undefined) found.push({ key: Key, lastModified: LastModified, bytes: Size ?? 0 });
        }
      }
      return found;
    } catch (error) {
      throw this.failed('list', Prefix, error);
    }
  }

  readManifest(id: string): Promise<string | undefined> {
    return this.readIfThere(manifestKey(this.cluster, id));
  }

  async remove(id: string, part: 'manifest' | 'object'): Promise<Removal> {
    const Key = part === 'manifest' ? manifestKey(this.cluster, id) : snapshotKey(this.cluster, id);
    try {
      await this.s3.send(new DeleteObjectCommand({ Bucket: this.bucket, Key }));
      return { outcome: 'removed' };
    } catch (error) {
      if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 403) {
        return { outcome: 'denied', because: `${error.name}: ${error.message}` };
      }
      throw this.failed('remove', Key, error);
    }
  }

  readPruneState(): Promise<string | undefined> {
    return this.readIfThere(pruneStateKey(this.cluster));
  }

  async writePruneState(text: string): Promise<void> {
    const Key = pruneStateKey(this.cluster);
    try {
      await this.s3.send(new PutObjectCommand({ Bucket: this.bucket, Key, Body: text, ContentType: 'application/json' }));
    } catch (error) {
      throw this.failed('write', Key, error);
    }
  }

  private async readIfThere(Key: string): Promise<string | undefined> {
    try {
      const { Body } = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key }));
      return (await Body?.transformToString()) ?? '';
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw this.failed('read', Key, error);
    }
  }

  private failed(action: string, key: string, error: unknown): StoreFailed {
    return new StoreFailed(`cannot ${action} s3://${this.bucket}/${key}: ${messageOf(error)}`, { cause: error });
  }
}
