import { z } from 'zod';

/**
 * The input of take-snapshot. A schedule sends `{}` or a slot; a person sends `{"trigger":"manual","note":"before upgrade"}`.
 * `scheduledAt` may be the scheduler's own placeholder where a platform does not fill it in, so it stays text.
 */
export const TakeSnapshotEvent = z.object({
  trigger: z.enum(['scheduled', 'manual', 'pre-restore', 'pre-rotation']).default('scheduled'),
  note: z.string().max(500).optional(),
  scheduledAt: z.string().max(100).optional(),
});
export type TakeSnapshotEvent = z.infer<typeof TakeSnapshotEvent>;
