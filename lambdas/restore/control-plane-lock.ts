import { z } from 'zod';
import type { RunLock } from '../backup/edges';
import { ControlPlaneLocked } from './errors';

/** `control-plane`: one runbook at a time changes the nodes of a cluster. `drill`: the same for nodes on which restores are only tried. */
export const LockEvent = z.object({
  do: z.enum(['acquire', 'release']),
  lock: z.enum(['control-plane', 'drill']),
  holder: z.string().min(1).max(80),
});
export type LockEvent = z.infer<typeof LockEvent>;

/** Longer than any runbook takes; one that was aborted releases its lock by `rollBack`, or loses it after this time. */
export const LOCK_MS = 12 * 60 * 60 * 1000;

/**
 * @throws ControlPlaneLocked naming the holder, and StoreFailed
 */
export async function lockControlPlane(locks: (name: LockEvent['lock']) => RunLock, event: LockEvent): Promise<{ readonly held: boolean }> {
  // The same holder takes it again: that is how a release knows what it releases, and how a state that is repeated goes on.
  const attempt = await locks(event.lock).acquire(event.holder);
  if (!attempt.acquired) {
    if (event.do === 'release') return { held: false };
    throw new ControlPlaneLocked(
      `${attempt.holder} works on the nodes until ${attempt.expiresAt} at the latest: wait for it; when that execution was aborted, start one with {"rollBack":"${attempt.holder}"}`,
    );
  }
  if (event.do === 'acquire') return { held: true };
  await attempt.release();
  return { held: false };
}
