import { scheduleMistake } from '../../../lib/config/schedule';

test.each([
  'rate(1 minute)',
  'rate(30 minutes)',
  'rate(1 hour)',
  'rate(2 days)',
  'cron(0 3 * * ? *)',
  'cron(0/30 * * * ? *)',
  'cron(0,30 8-18 ? * MON-FRI *)',
  'cron(15 10 L * ? *)',
  'cron(15 10 LW * ? *)',
  'cron(15 10 15W * ? *)',
  'cron(15 10 ? * 6L *)',
  'cron(15 10 ? * FRI#2 2026-2030)',
  'cron(0 0 1 JAN,JUL ? *)',
  'cron(*/15 * ? * SUN *)',
  'cron(0 3 1-31/2 * ? *)',
])('%s is a schedule', (expression) => {
  expect(scheduleMistake(expression)).toBeUndefined();
});

test.each([
  ['hourly', 'is not a schedule'],
  ['rate(1 week)', 'is not a schedule'],
  ['rate(1.5 hours)', 'is not a schedule'],
  ['rate(-1 hours)', 'is not a schedule'],
  ['rate(1 hour) ', 'is not a schedule'],
  ['at(2026-11-23T00:00:00)', 'is not a schedule'],
  ['rate(0 hours)', 'never runs'],
  ['rate(1 hours)', 'use rate(1 hour)'],
  ['rate(2 hour)', 'use rate(2 hours)'],
  ['cron(0 3 * * *)', 'has 5 fields'],
  ['cron(60 3 * * ? *)', 'has "60" for minutes; use 0 to 59'],
  ['cron(0 24 * * ? *)', 'has "24" for hours; use 0 to 23'],
  ['cron(0 3 0 * ? *)', 'has "0" for day-of-month'],
  ['cron(0 3 32W * ? *)', 'has "32W" for day-of-month'],
  ['cron(0 3 1 13 ? *)', 'has "13" for month'],
  ['cron(0 3 ? * 8 *)', 'has "8" for day-of-week'],
  ['cron(0 3 ? * MOON *)', 'has "MOON" for day-of-week'],
  ['cron(0 3 ? * FRI#6 *)', 'has "FRI#6" for day-of-week'],
  ['cron(0 3 * * ? 1969)', 'has "1969" for year'],
  ['cron(? 3 * * ? *)', 'has "?" for minutes'],
  ['cron(L 3 * * ? *)', 'has "L" for minutes'],
  ['cron(30-10 3 * * ? *)', 'has "30-10" for minutes'],
  ['cron(0/0 3 * * ? *)', 'has "0/0" for minutes'],
  ['cron(1-2-3 3 * * ? *)', 'has "1-2-3" for minutes'],
  ['cron(0 3 ?,3 * ? *)', 'has "?,3" for day-of-month'],
  ['cron(0 3 * * * *)', 'must have ? for exactly one'],
  ['cron(0 3 ? * ? *)', 'must have ? for exactly one'],
])('%s %s', (expression, expected) => {
  expect(scheduleMistake(expression)).toContain(expected);
});
