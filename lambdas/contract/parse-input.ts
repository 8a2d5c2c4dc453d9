import type { z } from 'zod';

/**
 * The input of an execution; nothing at all is `{}`.
 *
 * @param Refusal how the runbook says no
 * @throws a Refusal naming every field that does not fit
 */
export function parseInput<T>(
  shape: z.ZodType<T>,
  input: unknown,
  Refusal: new (message: string, options: { cause: unknown }) => Error,
): T {
  const parsed = shape.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => `${path.map(String).join('.') || 'input'}: ${message}`);
  throw new Refusal(`the input of the execution does not fit: ${mistakes.join('; ')}`, { cause: parsed.error });
}
