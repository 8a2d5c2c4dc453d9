import { z } from 'zod';
import { isSnapshotId } from './s3-keys';

const snapshotId = z.string().refine(isSnapshotId, { message: 'is not a snapshot id such as 20261123T182815Z-0a1b2c3d' });

/** The input of drill-in-function; the newest verified snapshot is drilled where none is named. */
export const DrillEvent = z.object({ snapshotId: snapshotId.optional() });
export type DrillEvent = z.infer<typeof DrillEvent>;

/** The name of an execution of the runbook: Step Functions allows 80 characters, and these are safe in a key and in a shell. */
export const RestoreId = z.string().regex(/^[A-Za-z0-9_-]{1,80}$/, { message: 'is not 1 to 80 of A-Z, a-z, 0-9, _ and -' });

/** The input of materialize-snapshot. */
export const MaterializeEvent = z.object({
  restoreId: RestoreId,
  snapshotId,
  /** For the day on which no verified snapshot is left. */
  allowUnverified: z.boolean().default(false),
});
export type MaterializeEvent = z.infer<typeof MaterializeEvent>;
