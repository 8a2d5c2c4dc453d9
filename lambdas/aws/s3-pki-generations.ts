import type { S3Client } from '@aws-sdk/client-s3';
import type { ErasPlace } from '../authorities/note-eras';
import { pkiGenerationsKey } from '../contract/s3-keys';
import { S3Document } from './s3-document';

/** Where it is noted by which generations of its PKI a cluster lives. */
export const erasPlace = (s3: S3Client, bucket: string, cluster: string, telemetry: ErasPlace['telemetry']): ErasPlace => ({
  cluster,
  document: new S3Document(s3, bucket, pkiGenerationsKey(cluster), 'what is noted of the generations'),
  telemetry,
});
