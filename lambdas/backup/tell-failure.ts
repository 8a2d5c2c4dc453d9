import { LifeboatError, messageOf } from '../contract/lifeboat-error';
import { Metric } from '../contract/metrics';
import type { Telemetry } from './edges';

/** Tells of a run that failed wherever it did, before the members were asked too, and lets its error pass. */
export async function tellFailure<T>(telemetry: Telemetry, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    telemetry.count(Metric.snapshotFailed, 1, 'Count');
    const { name, message } = error instanceof Error ? error : new Error(messageOf(error));
    // Not `message`: the logger drops it, since that is where it puts the event's name.
    telemetry.warn('snapshot-failed', { name, because: message, retryable: error instanceof LifeboatError ? error.retryable : undefined });
    throw error;
  }
}
