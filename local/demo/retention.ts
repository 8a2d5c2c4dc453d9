import { z } from 'zod';
import type { LocalCloud } from '../cloud';
import type { Deployment } from '../deployment';
import type { Narrator } from '../narrator';
import { KEPT_BECAUSE } from '../retention/present';
import { waitUntil } from '../child-process';

/** Small, so that there is something to remove after some days. */
export const RETENTION = { hourly: 1, daily: 4, weekly: 2, monthly: 1, floor: 2 };
/** The shortest that the config takes: what is locked stays. */
export const LOCK = { mode: 'governance', days: 1 } as const;
export const DAYS = 8;

const DAY_MS = 86_400_000;
const FREE_WITHIN_MS = 60_000;

const Pruned = z.object({
  outcome: z.literal('pruned'),
  verdicts: z.array(z.object({ id: z.string(), action: z.enum(['keep', 'remove']), because: z.string() })),
});
export type Verdict = z.infer<typeof Pruned>['verdicts'][number];

/** Days go by on the clock of the functions, each with a snapshot; then the deployed function removes what is too much. */
export async function daysPass(cloud: LocalCloud, lifeboat: Deployment): Promise<readonly Verdict[]> {
  for (let day = 0; day < DAYS; day++) {
    cloud.clock.advance(DAY_MS);
    await takeScheduled(lifeboat);
  }
  let pruned: readonly Verdict[] | undefined;
  await waitUntil('no backup is in the way of pruning', FREE_WITHIN_MS, async () => {
    const answer = await lifeboat.pruneSnapshots();
    if (answer.outcome === 'failed') throw new Error(`prune-snapshots failed with ${answer.error.name}: ${answer.error.message}`);
    pruned = Pruned.safeParse(answer.result).data?.verdicts;
    return pruned !== undefined;
  });
  return pruned ?? [];
}

/** The schedule of this cloud goes on by the minute, and may be at work. */
export async function takeScheduled(lifeboat: Deployment): Promise<unknown> {
  let result: unknown;
  await waitUntil('a snapshot is taken', FREE_WITHIN_MS, async () => {
    const answer = await lifeboat.takeSnapshot({ trigger: 'scheduled' });
    if (answer.outcome === 'failed' && answer.error.name !== 'BackupInProgress')
      throw new Error(`take-snapshot failed with ${answer.error.name}: ${answer.error.message}`);
    result = answer.outcome === 'returned' ? answer.result : undefined;
    return answer.outcome === 'returned';
  });
  return result;
}

export function showVerdicts(narrator: Narrator, verdicts: readonly Verdict[]): void {
  const policy = Object.entries(RETENTION).map(([name, count]) => `${name} ${count}`);
  narrator.say(`      policy: ${policy.join(', ')}; by hand 30 days; Object Lock ${LOCK.days} day\n`);
  const words = new Map<string, string>(Object.entries(KEPT_BECAUSE));
  const rows = verdicts.map(({ id, action, because }) => [id, action === 'keep' ? 'kept' : 'removed', words.get(because) ?? because]);
  narrator.table(['snapshot', 'was', 'because it is'], rows);
}

/** What must hold of any pruning. */
export async function checkPruning(narrator: Narrator, lifeboat: Deployment, verdicts: readonly Verdict[]): Promise<void> {
  const kept = verdicts.filter(({ action }) => action === 'keep').map(({ id }) => id);
  const removed = verdicts.filter(({ action }) => action === 'remove').map(({ id }) => id);
  const listed = new Map((await lifeboat.snapshots()).map((manifest) => [manifest.id, manifest]));
  const newest = verdicts.find(({ id }) => listed.get(id)?.verified === true);
  narrator.check('snapshots that were removed and are no longer listed', removed.filter((id) => !listed.has(id)).length, removed.length);
  narrator.check('something was removed', removed.length > 0, true);
  narrator.check('snapshots that were kept and are still listed', kept.filter((id) => listed.has(id)).length, kept.length);
  narrator.check('the newest verified one is among them', newest?.action, 'keep');
}
