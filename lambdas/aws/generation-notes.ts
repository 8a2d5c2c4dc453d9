import type { S3Client } from '@aws-sdk/client-s3';
import { erasOf } from '../authorities/eras';
import type { PkiDocuments } from '../authorities/eras';
import { noteEras } from '../authorities/note-eras';
import type { ErasPlace } from '../authorities/note-eras';
import { erasPlace } from './s3-pki-generations';

/** Notes, for functions that may not read the secrets, by which generations the cluster lives. What it gives never throws. */
export const generationNotes =
  (s3: S3Client, bucket: string, cluster: string, pki: PkiDocuments, telemetry: ErasPlace['telemetry']) => (): Promise<void> =>
    noteEras(
      erasPlace(s3, bucket, cluster, telemetry),
      () => erasOf(pki),
      () => new Date(),
    );
