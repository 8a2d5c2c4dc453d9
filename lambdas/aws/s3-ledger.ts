import { S3Client } from '@aws-sdk/client-s3';
import type { Telemetry } from '../backup/edges';
import type { LedgerEdges } from '../backup/keep-ledger';
import { ledgerKey } from '../contract/s3-keys';
import { BRISK } from './brisk';
import { S3Document } from './s3-document';
import { S3SnapshotCatalog } from './s3-snapshot-catalog';

/** The ledger of one cluster in S3, with limits that neither a run of seconds nor a backup waits long for. */
export function openLedger(bucket: string, cluster: string, telemetry: Telemetry, wait: LedgerEdges['wait']): LedgerEdges {
  const s3 = new S3Client(BRISK);
  return {
    cluster,
    document: new S3Document(s3, bucket, ledgerKey(cluster), 'the ledger'),
    catalog: new S3SnapshotCatalog(s3, bucket, cluster),
    telemetry,
    wait,
    random: () => Math.random(),
  };
}
