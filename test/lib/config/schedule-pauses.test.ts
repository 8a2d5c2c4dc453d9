import { alarmAfterMistake, alarmAfterSeconds, pausesOf } from '../../../lib/config/schedule-pauses';

const HOUR = 3600;
const DAY = 24 * HOUR;

test.each([
  ['rate(1 minute)', 60, 120],
  ['rate(30 minutes)', HOUR / 2, HOUR],
  ['rate(1 hour)', HOUR, 2 * HOUR],
  ['rate(2 days)', 2 * DAY, 4 * DAY],
  ['cron(0 3 * * ? *)', DAY, 2 * DAY],
  ['cron(0/30 * * * ? *)', HOUR / 2, HOUR],
  ['cron(* * * * ? *)', 60, 120],
  ['cron(0,10 3 * * ? *)', DAY - 600, DAY],
  // Friday's last slot to Monday's first, and one slot more.
  ['cron(0 8-18 ? * MON-FRI *)', 62 * HOUR, 63 * HOUR],
  ['cron(0 8-18 ? * 2-6 *)', 62 * HOUR, 63 * HOUR],
  ['cron(0 3 ? * L *)', 7 * DAY, 14 * DAY],
  // The week of EventBridge begins with Sunday, as 1.
  ['cron(0 3 ? * 1,SUN,7,SAT *)', 6 * DAY, 7 * DAY],
  ['cron(0 3 ? * SUN *)', 7 * DAY, 14 * DAY],
  ['cron(0 3 L * ? *)', 31 * DAY, 62 * DAY],
  ['cron(0 3 1 * ? *)', 31 * DAY, 62 * DAY],
  ['cron(0 3 1W * ? *)', 33 * DAY, 63 * DAY],
  ['cron(0 3 ? * 6L *)', 35 * DAY, 63 * DAY],
  ['cron(0 3 ? * FRI#2 *)', 35 * DAY, 63 * DAY],
  ['cron(0 0 1 JAN ? *)', 366 * DAY, 731 * DAY],
  ['cron(0 0 29 FEB ? *)', 1461 * DAY, 2922 * DAY],
  ['cron(0 0 30 FEB ? *)', 0, 0],
  ['cron(0 3 * * ? 2027-2030)', DAY, 2 * DAY],
])('%s pauses for %i seconds at most, and for %i over a slot that it misses', (schedule, longest, overMissedSlot) => {
  expect(pausesOf(schedule)).toEqual({ longest, overMissedSlot });
});

test.each([
  ['rate(1 hour)', undefined, 3 * HOUR],
  ['cron(0 3 * * ? *)', undefined, 49 * HOUR],
  ['cron(0 3 * * ? *)', 30, 30 * HOUR],
])('for %s with %s hours in the config the alarm comes after %i seconds', (schedule, hours, expected) => {
  expect(alarmAfterSeconds(schedule, hours)).toBe(expected);
});

test.each([
  ['rate(1 hour)', 1, '1 is too short for rate(1 hour), which pauses for up to 1 hours; use at least 2'],
  ['cron(0 3 * * ? *)', 24, '24 is too short for cron(0 3 * * ? *), which pauses for up to 24 hours; use at least 25'],
  ['cron(0 8-18 ? * MON-FRI *)', 24, '24 is too short for cron(0 8-18 ? * MON-FRI *), which pauses for up to 62 hours; use at least 63'],
])('for %s, %i hours would be an alarm without anything being wrong', (schedule, hours, mistake) => {
  expect(alarmAfterMistake(schedule, hours)).toBe(mistake);
});

test.each([
  ['rate(1 hour)', 2],
  ['rate(30 minutes)', 1],
  ['cron(0 3 * * ? *)', 25],
  ['rate(1 hour)', undefined],
  ['not a schedule, which has its own mistake', 1],
])('for %s, %s hours are no mistake', (schedule, hours) => {
  expect(alarmAfterMistake(schedule, hours)).toBeUndefined();
});
