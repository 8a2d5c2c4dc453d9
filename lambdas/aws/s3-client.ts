import { S3Client } from '@aws-sdk/client-s3';
import type { S3ClientConfig } from '@aws-sdk/client-s3';

const LIMITS: S3ClientConfig = {
  maxAttempts: 6,
  requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000, throwOnRequestTimeout: true },
};

/**
 * An S3 client that never waits for ever: without these limits a connection that went silent would hold a run until Lambda kills it.
 * A part of 8 MiB needs a second on a bad day; six attempts with the SDK's backoff ride out half a minute of 503.
 *
 * @param region of the buckets that it is used for; the function's own when left out
 */
export const openS3 = (region?: string): S3Client => new S3Client(region === undefined ? LIMITS : { ...LIMITS, region });
