// The expressions of EventBridge Scheduler: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
const RATE = /^rate\((\d+) (minute|minutes|hour|hours|day|days)\)$/;
const CRON = /^cron\(([^()]*)\)$/;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Words for numbers; the first stands for 1. */
  readonly words?: readonly string[];
  /** What only a field of days may say, such as `L` for the last one. Such a field may also be left unsaid by `?`. */
  readonly special?: RegExp;
}

const FIELDS: readonly Field[] = [
  { name: 'minutes', min: 0, max: 59 },
  { name: 'hours', min: 0, max: 23 },
  { name: 'day-of-month', min: 1, max: 31, special: /^(L|LW|([1-9]|[12]\d|3[01])W)$/ },
  { name: 'month', min: 1, max: 12, words: MONTHS },
  { name: 'day-of-week', min: 1, max: 7, words: DAYS, special: /^(L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5]))$/ },
  { name: 'year', min: 1970, max: 2199 },
];

/** What is wrong with a `rate(…)` or `cron(…)` expression and what to do, or undefined when EventBridge Scheduler takes it. */
export function scheduleMistake(expression: string): string | undefined {
  const rate = RATE.exec(expression);
  if (rate !== null) return rateMistake(Number(rate[1]), rate[2] ?? '');
  const cron = CRON.exec(expression);
  if (cron !== null) return cronMistake((cron[1] ?? '').trim().split(/\s+/));
  return 'is not a schedule; use rate(1 hour), rate(30 minutes) or cron(0 3 * * ? *)';
}

function rateMistake(count: number, unit: string): string | undefined {
  if (count === 0) return 'never runs; use a number of at least 1';
  const singular = unit.replace(/s$/, '');
  const right = count === 1 ? singular : `${singular}s`;
  return unit === right ? undefined : `does not match its number; use rate(${count} ${right})`;
}

function cronMistake(parts: readonly string[]): string | undefined {
  if (parts.length !== FIELDS.length) {
    return `has ${parts.length} fields; give ${FIELDS.length}: ${FIELDS.map(({ name }) => name).join(' ')}, such as cron(0 3 * * ? *)`;
  }
  for (const [index, field] of FIELDS.entries()) {
    const part = parts[index] ?? '';
    const unsaid = part === '?' && field.special !== undefined;
    if (!unsaid && !part.split(',').every((item) => isItem(item, field))) {
      return `has ${JSON.stringify(part)} for ${field.name}; use ${field.min} to ${field.max}, a list, a range, a step or *`;
    }
  }
  const unsaid = [parts[2], parts[4]].filter((day) => day === '?').length;
  if (unsaid !== 1) return 'must have ? for exactly one of day-of-month and day-of-week, such as cron(0 3 * * ? *)';
  return undefined;
}

function isItem(item: string, field: Field): boolean {
  if (field.special?.test(item) === true) return true;
  const [range = '', step, ...rest] = item.split('/');
  if (rest.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step))) return false;
  if (range === '*') return true;
  const ends = range.split('-').map((end) => numberOf(end, field));
  if (ends.length > 2 || ends.some((end) => end === undefined)) return false;
  const [from = 0, to = from] = ends;
  return from <= to;
}

function numberOf(text: string, { min, max, words = [] }: Field): number | undefined {
  const word = words.indexOf(text);
  const number = word === -1 ? (/^\d+$/.test(text) ? Number(text) : NaN) : word + 1;
  return number >= min && number <= max ? number : undefined;
}
