import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  NoSuchKey,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { z } from 'zod';
import { sortListing } from '../../lambdas/backup/catalog';
import type { ListedObject } from '../../lambdas/backup/catalog';
import { Manifest } from '../../lambdas/contract/manifest';
import { ledgerKey, lockKey, manifestKey, snapshotKey, snapshotsPrefix } from '../../lambdas/contract/s3-keys';
import type { Deployment } from '../deployment';

const LockDocument = z.object({ holder: z.string(), expiresAt: z.iso.datetime() });

/** What lies in the bucket at one moment. */
export interface BucketView {
  /** Oldest first. */
  readonly manifests: readonly Manifest[];
  readonly objects: ReadonlyMap<string, ListedObject>;
  /** Ids of objects that no manifest lists. */
  readonly unlisted: readonly string[];
  /** Upload ids. */
  readonly openUploads: readonly string[];
  /** Until when somebody holds the lock of backups; a lock that cannot be read is held by nobody. */
  readonly lockedUntil: Date;
}

/** Looks into the bucket of one deployment as its owner, without the fault proxy. */
export class Bucket {
  /** Of a manifest that is written only the drills change, and nobody here asks for them. */
  private readonly known = new Map<string, Manifest>();

  constructor(private readonly lifeboat: Deployment) {}

  async look(): Promise<BucketView> {
    const { s3, bucket, cluster } = this.lifeboat;
    const listed: ListedObject[] = [];
    for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: snapshotsPrefix(cluster) })) {
      for (const { Key: key = '', Size: bytes = 0, LastModified: lastModified = new Date(0) } of Contents)
        listed.push({ key, bytes, lastModified });
    }
    const { manifests: ids, objects, unlisted } = sortListing(cluster, listed);
    const manifests: Manifest[] = [];
    for (const id of ids) manifests.push(await this.manifest(id));
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    return {
      manifests: manifests.sort((a, b) => a.takenAt.localeCompare(b.takenAt)),
      objects,
      unlisted,
      openUploads: Uploads.map(({ UploadId = '' }) => UploadId),
      lockedUntil: await this.lockedUntil(),
    };
  }

  ledger(): Promise<string | undefined> {
    return this.read(ledgerKey(this.lifeboat.cluster));
  }

  async lockedUntil(): Promise<Date> {
    const text = await this.read(lockKey(this.lifeboat.cluster, 'backup'));
    try {
      return new Date(LockDocument.parse(JSON.parse(text ?? '')).expiresAt);
    } catch {
      return new Date(0);
    }
  }

  /**
   * What the bucket's lifecycle does after its days, and the emulator never: the versions of removed snapshots go. They would fill the
   * memory of this machine.
   */
  async forget(ids: readonly string[]): Promise<void> {
    const { s3, bucket, cluster } = this.lifeboat;
    for (const id of ids) {
      const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: snapshotKey(cluster, id) }));
      for (const { Key, VersionId } of Versions) await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
    }
  }

  private async manifest(id: string): Promise<Manifest> {
    const known = this.known.get(id);
    if (known !== undefined) return known;
    const manifest = Manifest.parse(JSON.parse((await this.read(manifestKey(this.lifeboat.cluster, id))) ?? ''));
    this.known.set(id, manifest);
    return manifest;
  }

  private async read(Key: string): Promise<string | undefined> {
    try {
      const { Body } = await this.lifeboat.s3.send(new GetObjectCommand({ Bucket: this.lifeboat.bucket, Key }));
      return await Body?.transformToString();
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }
}
