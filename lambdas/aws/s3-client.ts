import { S3Client } from '@aws-sdk/client-s3';

/**
 * An S3 client that never waits for ever: without these limits a connection that went silent would hold a run until Lambda kills it.
 * A part of 8 MiB needs a second on a bad day; six attempts with the SDK's backoff ride out half a minute of 503.
 */
export const openS3 = (): S3Client =>
  new S3Client({ maxAttempts: 6, requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000, throwOnRequestTimeout: true } });
