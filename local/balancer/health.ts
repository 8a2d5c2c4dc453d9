/** As HAProxy's `inter 1s fall 2 rise 2`: measured, no request fails while API servers are restarted one after the other. */
export const CHECK_EVERY_MS = 1_000;
export const FALL = 2;
export const RISE = 2;

/** What is believed of one backend, and how many checks in a row said otherwise. */
export interface Health {
  readonly up: boolean;
  readonly against: number;
}

/** As HAProxy begins: everything is up until checks say otherwise. */
export const ASSUMED: Health = { up: true, against: 0 };

/** What is believed after one more check. */
export function judged({ up, against }: Health, passed: boolean): Health {
  if (passed === up) return { up, against: 0 };
  const needed = up ? FALL : RISE;
  return against + 1 >= needed ? { up: passed, against: 0 } : { up, against: against + 1 };
}
