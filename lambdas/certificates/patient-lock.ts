import type { RunLock } from '../backup/edges';

export interface Patience {
  /** After this nobody waits any more: what is left is needed for the work itself. */
  readonly until: Date;
  readonly now: () => Date;
  readonly wait: (milliseconds: number) => Promise<void>;
}

/** The node before takes a minute or two. */
const ASK_AGAIN_MS = 10_000;

/**
 * A lock that is waited for. The secrets of all nodes come due in the same hour, and Secrets Manager begins their rotations beside each other:
 * each takes its turn.
 */
export function patientLock(lock: RunLock, { until, now, wait }: Patience): RunLock {
  return {
    acquire: async (holder) => {
      for (;;) {
        const held = await lock.acquire(holder);
        if (held.acquired || now().getTime() + ASK_AGAIN_MS > until.getTime()) return held;
        await wait(ASK_AGAIN_MS);
      }
    },
  };
}
