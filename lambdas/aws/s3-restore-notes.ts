import { GetObjectCommand, NoSuchKey, PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { messageOf } from '../contract/lifeboat-error';
import type { RestoreFile } from '../contract/s3-keys';
import { restoreKey } from '../contract/s3-keys';
import { StoreFailed } from './errors';

type SmallFile = Exclude<RestoreFile, 'snapshot.db'>;

/** The small files that a restore leaves in S3. Both calls may throw StoreFailed. */
export interface RestoreNotes {
  /** Undefined when there is none. */
  read(restoreId: string, file: SmallFile): Promise<string | undefined>;
  /** A state that is repeated writes it again. */
  write(restoreId: string, file: SmallFile, text: string): Promise<void>;
}

export function restoreNotes(s3: S3Client, bucket: string, cluster: string): RestoreNotes {
  const failed = (action: string, key: string, error: unknown): StoreFailed =>
    new StoreFailed(`cannot ${action} s3://${bucket}/${key}: ${messageOf(error)}`, { cause: error });
  return {
    read: async (restoreId, file) => {
      const Key = restoreKey(cluster, restoreId, file);
      try {
        return await (await s3.send(new GetObjectCommand({ Bucket: bucket, Key }))).Body?.transformToString();
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw failed('read', Key, error);
      }
    },
    write: async (restoreId, file, text) => {
      const Key = restoreKey(cluster, restoreId, file);
      const ContentType = file.endsWith('.json') ? 'application/json' : 'text/plain; charset=utf-8';
      try {
        await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: text, ContentType }));
      } catch (error) {
        throw failed('write', Key, error);
      }
    },
  };
}
