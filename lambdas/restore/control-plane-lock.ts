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

/** A lock that one process takes and another one gives back. */
export interface LongLock extends RunLock {
  /** Gives back what `holder` holds, and nothing else. @throws StoreFailed */
  release(holder: string): Promise<void>;
}

/**
 * The same holder takes it again: that is how a state that is repeated goes on.
 *
 * @throws ControlPlaneLocked naming the holder, and StoreFailed
 */
export async function lockControlPlane(
  locks: (name: LockEvent['lock']) => LongLock,
  { do: action, lock: name, holder }: LockEvent,
): Promise<{ readonly held: boolean }> {
  const lock = locks(name);
  if (action === 'release') {
    await lock.release(holder);
    return { held: false };
  }
  const attempt = await lock.acquire(holder);
  if (attempt.acquired) return { held: true };
  throw new ControlPlaneLocked(
    `${attempt.holder} works on the nodes until ${attempt.expiresAt} at the latest: wait for it; when that execution was aborted and is a restore, start one with {"rollBack":"${attempt.holder}"}; when it is a replacement, which cannot be rolled back, redrive it`,
  );
}
