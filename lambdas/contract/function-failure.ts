import { z } from 'zod';
import { jsonOf } from './json';

const FunctionFailure = z.object({ errorMessage: z.string() });

/** What a person reads of the `Cause` of a failed state: Lambda puts its error as JSON there, everybody else plain words. */
export function causeWords(cause: string): string {
  const told = FunctionFailure.safeParse(jsonOf(cause));
  return told.success ? told.data.errorMessage : cause;
}
