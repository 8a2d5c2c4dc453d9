import { z } from 'zod';

const count = z.number().int().nonnegative();

/** How long snapshots live. Counts are of periods that hold a verified snapshot, not of hours that passed; ages are in days. */
export const RetentionPolicy = z.object({
  /** Of each of the newest `hourly` hours that hold one, the last verified snapshot survives; likewise for the other tiers. */
  hourly: count,
  daily: count,
  weekly: count,
  monthly: count,
  yearly: count,
  /** Verified snapshots that survive any policy; at least one. */
  floor: z.number().int().positive(),
  /** Age at which a snapshot that was taken by hand, before a restore or before a rotation goes. */
  preChangeDays: count,
  /** Age from which an unverified snapshot goes, once there is a newer verified one. */
  unverifiedDays: count,
  /** Age up to which the newest verified snapshot of every lineage survives: the way back behind a restore. */
  lineageDays: count,
});
export type RetentionPolicy = Readonly<z.infer<typeof RetentionPolicy>>;

/** How the writer of a snapshot locks it: S3 Object Lock, for so many days from the start of the run. */
export const LockPolicy = z.object({ mode: z.enum(['governance', 'compliance']), days: z.number().int().positive() });
export type LockPolicy = Readonly<z.infer<typeof LockPolicy>>;
