import { z } from 'zod';

const Line = z.object({
  time: z.number(),
  principal: z.string(),
  action: z.string(),
  resource: z.string(),
  context: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  allowed: z.boolean(),
});

/** One call that a role made and the emulator judged. */
export interface FunctionCall {
  readonly at: Date;
  readonly role: string;
  /** The session's name, which for a function's role is the function's name. */
  readonly session: string;
  readonly action: string;
  readonly resource: string;
  /** Condition keys that the request itself carries, such as `s3:prefix`. */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
  readonly allowed: boolean;
}

/** Reads the JSON lines that records.py writes; callers that are not roles are left out. */
export function parseCallLog(text: string): FunctionCall[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const { time, principal, ...call } = Line.parse(JSON.parse(line));
      const [, role, session] = /:assumed-role\/([^/]+)\/(.+)$/.exec(principal) ?? [];
      return role === undefined || session === undefined ? [] : [{ at: new Date(time * 1000), role, session, ...call }];
    });
}
