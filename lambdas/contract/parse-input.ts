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
  const parsed = shape.safeParse(input ?? {}, { reportInput: true });
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map((issue) => `${issue.path.map(String).join('.') || 'input'}: ${issue.message}${givenIn(issue)}`);
  throw new Refusal(`the input of the execution does not fit: ${mistakes.join('; ')}`, { cause: parsed.error });
}

/** What was given instead, where it is short enough to be recognized and no whole object. */
function givenIn({ input }: z.core.$ZodIssue): string {
  const short = typeof input === 'number' || typeof input === 'boolean' || (typeof input === 'string' && input.length <= 100);
  return short ? `, not ${JSON.stringify(input)}` : '';
}
