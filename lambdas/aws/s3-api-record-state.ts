import type { S3Client } from '@aws-sdk/client-s3';
import { ApiRecordState, NO_STATE } from '../contract/api-record';
import { jsonOf } from '../contract/json';
import { apiRecordKey } from '../contract/s3-keys';
import type { StateDocument } from '../dns/sync-record';
import { S3Document } from './s3-document';

/** What is remembered of the API's record. A document that cannot be read is begun anew: it holds nothing that is not found again. */
export function apiRecordState(s3: S3Client, bucket: string, cluster: string): StateDocument {
  const document = new S3Document(s3, bucket, apiRecordKey(cluster), 'the state of the API record');
  return {
    read: async () => {
      const stored = await document.read();
      return { state: ApiRecordState.safeParse(jsonOf(stored?.text ?? '')).data ?? NO_STATE, version: stored?.etag };
    },
    write: async (state, over) => (await document.write(JSON.stringify(state), over)) !== undefined,
  };
}
