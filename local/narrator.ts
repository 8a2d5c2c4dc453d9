import { styleText } from 'node:util';
import Table from 'cli-table3';

/** The table library colours whatever it is given; `styleText` looks for a terminal itself. */
const COLOURED = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;

/** Tells a person what happens, step by step with its time, and counts what was checked on the way. */
export class Narrator {
  passed = 0;
  failed = 0;
  /** How long each step took, by its words. */
  readonly seconds: Record<string, number> = {};
  private step = 0;

  constructor(
    private readonly steps: number,
    private readonly out: NodeJS.WritableStream = process.stdout,
  ) {}

  title(text: string): void {
    this.say(`\n${styleText('bold', text)}\n`);
  }

  say(text = ''): void {
    this.out.write(`${text}\n`);
  }

  /** Runs one step and prints its line when it is done: `[3/8] deploy the app ........ 6.1 s  2 stacks`. */
  async run<T>(what: string, work: () => Promise<T>, tell: (result: T) => string = () => ''): Promise<T> {
    const started = performance.now();
    const label = `[${++this.step}/${this.steps}] ${what} `;
    try {
      const result = await work();
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      this.seconds[what] = Number(seconds);
      this.say(`${label.padEnd(52, '.')} ${`${seconds} s`.padStart(7)}  ${tell(result)}`.trimEnd());
      return result;
    } catch (error) {
      this.say(`${label.padEnd(52, '.')} ${styleText('red', 'failed')}`);
      throw error;
    }
  }

  /** Compares what was found with what must be, and says so. */
  check(what: string, found: unknown, expected: unknown): void {
    const ok = found === expected;
    if (ok) this.passed++;
    else this.failed++;
    const mark = ok ? styleText('green', '✓') : styleText('red', '✗');
    this.say(`      ${mark} ${what}${ok ? `: ${String(found)}` : `: found ${String(found)}, expected ${String(expected)}`}`);
  }

  table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
    const table = new Table({
      head: [...head],
      style: { head: COLOURED ? ['bold'] : [], border: COLOURED ? ['grey'] : [], compact: true },
    });
    table.push(...rows.map((row) => [...row]));
    this.say(table.toString().replace(/^/gm, '      '));
  }
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
export const seconds = (milliseconds: number | undefined): string => `${((milliseconds ?? 0) / 1000).toFixed(2)} s`;
