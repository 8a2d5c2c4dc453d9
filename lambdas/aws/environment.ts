import type { z } from 'zod';
import type { EnvName } from '../contract/env';
import { BadConfiguration, BadEvent } from './errors';

/** @throws BadConfiguration when the variable is missing or empty */
export function requireEnv(name: EnvName): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new BadConfiguration(`environment variable ${name} is missing: deploy the stack again`);
  return value;
}

/** @throws BadConfiguration when the variable is not a positive whole number */
export function requirePositiveInteger(name: EnvName): number {
  const text = requireEnv(name);
  if (!/^[1-9]\d*$/.test(text)) throw new BadConfiguration(`environment variable ${name} is "${text}", not a positive whole number`);
  return Number(text);
}

/** @throws BadConfiguration when the variable is not JSON of the given shape */
export function requireJson<T>(name: EnvName, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(requireEnv(name));
  } catch (cause) {
    throw new BadConfiguration(`environment variable ${name} is missing or no JSON: deploy the stack again`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new BadConfiguration(`environment variable ${name} does not fit (${mistakesOf(parsed.error)}): deploy the stack again`, {
    cause: parsed.error,
  });
}

/** Mistakes of a zod parse in one line: `note: too long; trigger: …`. Values are left out, since they may be secret. */
export const mistakesOf = (error: z.ZodError): string =>
  error.issues.map((issue) => `${issue.path.map(String).join('.') || 'value'}: ${issue.message}`).join('; ');

/** @throws BadEvent naming every field that does not fit */
export function parseEvent<T>(schema: z.ZodType<T>, event: unknown): T {
  const parsed = schema.safeParse(event ?? {});
  if (!parsed.success) throw new BadEvent(`the event does not fit: ${mistakesOf(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}
