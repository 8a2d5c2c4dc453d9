// The vocabulary that the schema is written in. Each field says what it is in words, and those words are its error message.
import { z } from 'zod';
import { nearest } from './nearest';

const LONGEST_SHOWN = 80;

/** A value as the operator wrote it, cut where it would flood the terminal. */
export function show(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

/** The message for a value that is not what the field says it is; `what` begins with its article: `a VPC id such as vpc-…`. */
const isNot = (what: string) => (issue: { readonly input?: unknown }) =>
  issue.input === undefined ? `is missing; give ${what}` : `${show(issue.input)} is not ${what}`;

/** A string of one shape. */
export const text = (what: string, pattern: RegExp) =>
  z
    .string({ error: isNot(what) })
    .regex(pattern, { error: isNot(what) })
    .describe(what);

/** A string with rules that a pattern cannot tell apart; `mistakeOf` says what is wrong and what to do, or undefined. */
export const checkedText = (what: string, mistakeOf: (value: string) => string | undefined) =>
  z
    .string({ error: isNot(what) })
    .superRefine((value, context) => {
      const mistake = mistakeOf(value);
      if (mistake !== undefined) context.addIssue({ code: 'custom', message: `${show(value)} ${mistake}` });
    })
    .describe(what);

/** A whole number from `min` to `max`, both included. */
export const whole = (what: string, min: number, max: number) => {
  const error = isNot(`a whole number from ${min} to ${max} (${what})`);
  return z.int({ error }).min(min, { error }).max(max, { error }).describe(what);
};

export const oneOf = <const T extends readonly string[]>(what: string, words: T) =>
  z.enum(words, { error: isNot(`one of ${words.map(show).join(', ')} (${what})`) }).describe(what);

export const yesOrNo = (what: string) => z.boolean({ error: isNot(`true or false (${what})`) }).describe(what);

/** A list without duplicates, from `min` to `max` items. */
export const list = <T extends z.ZodType>(what: string, item: T, { min = 1, max = 100 } = {}) => {
  const length = min === max ? `${min}` : `${min} to ${max}`;
  return z
    .array(item, { error: isNot(`a list of ${what}`) })
    .min(min, { error: `is empty; give ${length} ${what}` })
    .max(max, { error: ({ input }) => `has ${Array.isArray(input) ? input.length : 'too many'} items; give ${length} ${what}` })
    .superRefine((items, context) => {
      items.forEach((value, index) => {
        const first = items.indexOf(value);
        if (typeof value === 'string' && first < index) {
          context.addIssue({ code: 'custom', path: [index], message: `${show(value)} is a duplicate of item ${first}; remove one` });
        }
      });
    }, always)
    .describe(what);
};

/** A map whose keys the operator chooses. */
export const words = (what: string, key: z.ZodString, value: z.ZodString) =>
  z
    .record(key, value, {
      error: (issue) =>
        issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? isNot('a key')(issue)) : isNot(`an object: ${what}`)(issue),
    })
    .describe(what);

/** A section: a strict object. A key that it does not know is a mistake that names the nearest key that it does know. */
export const section = <T extends z.ZodRawShape>(what: string, shape: T) =>
  z
    .strictObject(shape, {
      error: (issue) =>
        issue.code === 'unrecognized_keys' ? unknownKeys(issue.keys, Object.keys(shape)) : isNot(`an object: ${what}`)(issue),
    })
    .describe(what);

/** One line per key: explain.ts makes a mistake of each line. JSON.stringify keeps a key with a line break on its own line. */
function unknownKeys(keys: readonly string[], known: readonly string[]): string {
  return keys
    .map((key) => {
      const meant = nearest(key, known);
      return `unknown key ${show(key)}; ${meant === undefined ? `known keys are ${known.join(', ')}` : `did you mean ${show(meant)}?`}`;
    })
    .join('\n');
}

/** Runs a rule about several fields even when one of them, or a neighbour, is wrong: all mistakes are told at once. */
export const always = { when: ({ value }: { readonly value: unknown }) => typeof value === 'object' && value !== null };
