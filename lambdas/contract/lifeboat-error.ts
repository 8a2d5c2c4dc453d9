import type { ErrorName } from './errors';

/**
 * The root of every error that the functions throw on purpose. `name` is literal (state machines and alarms match it), the
 * message is lowercase, holds the wrong value and says what to do, and `retryable` tells whether the same call may succeed later.
 */
export abstract class LifeboatError extends Error {
  abstract override readonly name: ErrorName;
  abstract readonly retryable: boolean;
}

/** One line for a person from anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message || error.name : String(error));
