// How long a schedule lets a cluster go without a backup: what "too long ago" means follows from it.
import { Cron } from 'croner';
import { scheduleMistake } from './schedule';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SECONDS = { minute: MINUTE, hour: HOUR, day: DAY } as const;

/** A run may take Lambda's whole quarter of an hour before its snapshot counts. */
const LONGEST_RUN = 15 * MINUTE;
/** For the run itself, its repetition, and the minutes until all of it is measured. */
const GRACE = HOUR;

/** Three leap days, so that even the schedule of 29 February has two pauses; shorter ones come up in all their forms. */
const FIRST_DAY = '2026-01-01T00:00:00Z';
const DAYS_LOOKED_AT = 12 * 366;

/** Seconds between one slot of a schedule and the next, and the next but one, at their longest. */
export interface Pauses {
  readonly longest: number;
  readonly overMissedSlot: number;
}

/**
 * @param schedule a `rate(…)` or `cron(…)` expression that EventBridge Scheduler takes
 * @returns zeros for one that never runs: then an hour without a snapshot is too long
 */
export function pausesOf(schedule: string): Pauses {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(schedule);
  if (rate === null) return cronPauses(/^cron\((.*)\)$/.exec(schedule)?.[1]?.trim().split(/\s+/) ?? []);
  const interval = Number(rate[1]) * SECONDS[rate[2] === 'minute' || rate[2] === 'hour' ? rate[2] : 'day'];
  return { longest: interval, overMissedSlot: 2 * interval };
}

/**
 * How old the newest verified snapshot may become, in seconds: the schedule may miss one slot, since the runs of it tell of themselves,
 * and an hour passes on top. Weekends and nights that a cron leaves out are no outage.
 */
export const alarmAfterSeconds = (schedule: string, hours?: number): number =>
  hours === undefined ? pausesOf(schedule).overMissedSlot + GRACE : hours * HOUR;

/** What is wrong with a limit that would be crossed although every run succeeded, or undefined, also for what is wrong in itself. */
export const alarmAfterMistake = (schedule: unknown, hours: unknown): string | undefined =>
  tooShort(schedule, hours, { seconds: HOUR, name: 'hours' }, LONGEST_RUN);

/** The same of drills, whose age is measured every hour. */
export const drillAlarmMistake = (schedule: unknown, days: unknown): string | undefined =>
  tooShort(schedule, days, { seconds: DAY, name: 'days' }, LONGEST_RUN + GRACE);

function tooShort(
  schedule: unknown,
  limit: unknown,
  unit: { readonly seconds: number; readonly name: string },
  margin: number,
): string | undefined {
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1) return undefined;
  if (typeof schedule !== 'string' || scheduleMistake(schedule) !== undefined) return undefined;
  const { longest } = pausesOf(schedule);
  const least = Math.ceil((longest + margin) / unit.seconds);
  if (limit >= least) return undefined;
  const pause = Math.round((longest / unit.seconds) * 10) / 10;
  return `${limit} is too short for ${schedule}, which pauses for up to ${pause} ${unit.name}; use at least ${least}`;
}

/** The year is left out: it says when a schedule lives, not how often it runs. */
function cronPauses([minutes = '', hours = '', dayOfMonth = '', month = '', dayOfWeek = '']: readonly string[]): Pauses {
  // Days and times of day apart: twelve years of minutes would be six million slots to search for.
  const times = slots(`${minutes} ${hours} * * *`, 1);
  const days = slots(['0', '0', dayOfMonth, month, dayOfWeek].map(inCronersWords).join(' '), DAYS_LOOKED_AT);
  const slotAt = (index: number): number => (days[Math.floor(index / times.length)] ?? 0) + (times[index % times.length] ?? 0);
  const longest = (slotsLater: number): number => {
    let most = 0;
    for (let index = slotsLater; index < days.length * times.length; index++)
      most = Math.max(most, slotAt(index) - slotAt(index - slotsLater));
    return most;
  };
  return { longest: longest(1), overMissedSlot: longest(2) };
}

/** Seconds from the first day's midnight to each slot of so many days. */
function slots(pattern: string, days: number): number[] {
  const first = new Date(FIRST_DAY).getTime();
  const cron = new Cron(pattern, { mode: '5-part', timezone: 'Etc/UTC', alternativeWeekdays: true, sloppyRanges: true });
  const found: number[] = [];
  // A millisecond before, since croner looks for what comes after.
  for (let run = cron.nextRun(new Date(first - 1)); run !== null && run.getTime() < first + days * DAY * 1000; run = cron.nextRun(run))
    found.push((run.getTime() - first) / 1000);
  return found;
}

/** croner has no `?`, and no `L` alone for a day of the week, which is Saturday. */
const inCronersWords = (field: string, index: number): string => {
  if (field === '?') return '*';
  return index === 4 && field === 'L' ? 'SAT' : field;
};
