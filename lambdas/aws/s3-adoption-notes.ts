import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { messageOf } from '../contract/lifeboat-error';
import { adoptionKey } from '../contract/s3-keys';
import { StoreFailed } from './errors';

/** Writes the report of an adoption; a state that is repeated writes it again. The function that it gives throws StoreFailed. */
export function adoptionNotes(s3: S3Client, bucket: string, cluster: string): (id: string, text: string) => Promise<void> {
  return async (id, text) => {
    const Key = adoptionKey(cluster, id);
    try {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: text, ContentType: 'application/json' }));
    } catch (error) {
      throw new StoreFailed(`cannot write s3://${bucket}/${Key}: ${messageOf(error)}`, { cause: error });
    }
  };
}
