import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { messageOf } from '../contract/lifeboat-error';
import { adoptionKey, exchangeKey, inventoryKey, repairKey } from '../contract/s3-keys';
import { StoreFailed } from './errors';

/** Writes the report of an adoption; a state that is repeated writes it again. The function that it gives throws StoreFailed. */
export const adoptionNotes =
  (s3: S3Client, bucket: string, cluster: string) =>
  (id: string, text: string): Promise<void> =>
    put(s3, bucket, adoptionKey(cluster, id), text);

/** The same of a repair of certificates. */
export const repairNotes =
  (s3: S3Client, bucket: string, cluster: string) =>
  (id: string, text: string): Promise<void> =>
    put(s3, bucket, repairKey(cluster, id), text);

/** The same of an exchange of an authority. */
export const exchangeNotes =
  (s3: S3Client, bucket: string, cluster: string) =>
  (id: string, text: string): Promise<void> =>
    put(s3, bucket, exchangeKey(cluster, id), text);

/** Writes what the last look at the certificates found. The function that it gives throws StoreFailed. */
export const inventoryNote =
  (s3: S3Client, bucket: string, cluster: string) =>
  (text: string): Promise<void> =>
    put(s3, bucket, inventoryKey(cluster), text);

async function put(s3: S3Client, Bucket: string, Key: string, Body: string): Promise<void> {
  try {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'application/json' }));
  } catch (error) {
    throw new StoreFailed(`cannot write s3://${Bucket}/${Key}: ${messageOf(error)}`, { cause: error });
  }
}
