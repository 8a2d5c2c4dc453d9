import { renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * The clock that deployed functions live by: this machine's, until it is moved. A function looks at it when a call begins.
 *
 * The emulator's own clock stays where it is. Objects are last modified, and object locks end, by the machine's time.
 */
export interface FunctionClock {
  /** `{ offsetMs }`, read by bootstrap.cjs and emulator.py; there only while the clock is moved. */
  readonly file: string;
  readonly offsetMs: number;
  readonly now: () => Date;
  advance(ms: number): void;
  /** Back to the machine's time. */
  reset(): void;
}

export function functionClock(file: string): FunctionClock {
  let offsetMs = 0;
  return {
    file,
    get offsetMs() {
      return offsetMs;
    },
    now: () => new Date(Date.now() + offsetMs),
    advance: (ms) => {
      offsetMs += ms;
      // Renamed into its place: a function never reads half of it.
      writeFileSync(`${file}.new`, JSON.stringify({ offsetMs }));
      renameSync(`${file}.new`, file);
    },
    reset: () => {
      offsetMs = 0;
      rmSync(file, { force: true });
    },
  };
}
