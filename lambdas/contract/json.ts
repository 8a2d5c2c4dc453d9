import type { z } from 'zod';

/** The value of a JSON text, or undefined: the parser's message would quote the text, which may be secret, and helps nobody else either. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The fields that a zod parse found wrong, each once, without their values: `restores.0.at`. */
export const wrongFields = (error: z.ZodError): string =>
  [...new Set(error.issues.map(({ path }) => path.map(String).join('.') || 'the whole of it'))].join(', ');
