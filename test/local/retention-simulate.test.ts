import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { simulationText } from '../../local/retention/present';
import { minutesOfRate, simulateRetention } from '../../local/retention/simulate';
import { policy } from '../backup/snapshots';

const END = new Date('2026-11-16T12:00:00.000Z');
const lock = { mode: 'governance', days: 2 } as const;
const rules = policy({ hourly: 24, daily: 14, weekly: 8, monthly: 12, floor: 3 });
const ROOT = join(__dirname, '..', '..');

test('what is left of hourly snapshots is what the tiers and the lock ask for', () => {
  const { taken, groups } = simulateRetention({ days: 90, everyMinutes: 60, policy: rules, lock, end: END });

  expect(taken).toBe(90 * 24 + 1);
  expect(groups.map(({ because, count }) => [because, count])).toEqual([
    ['newest-verified', 1],
    ['floor', 2],
    ['hourly', 21],
    // Two days of 24, of which the newest day is counted as hours and one of the rest is the last of its day.
    ['locked', 23],
    // Fourteen days, of which the last snapshots of two are counted above.
    ['daily', 12],
    // Eight weeks, of which the last snapshots of three are counted above.
    ['weekly', 5],
    ['monthly', 3],
  ]);
  expect(groups.at(-1)!.oldest).toEqual(new Date('2026-08-31T23:00:00.000Z'));
});

test('says how the number of snapshots grows, up to the last day', () => {
  const { growth } = simulateRetention({ days: 20, everyMinutes: 60, policy: rules, lock, end: END });

  expect(growth.map(({ day }) => day)).toEqual([1, 7, 14, 20]);
  expect(growth[0]).toEqual({ day: 1, stored: 25 });
});

test.each([
  ['rate(1 hour)', 60],
  ['rate(30 minutes)', 30],
  ['rate(2 days)', 2880],
  ['cron(0 3 * * ? *)', undefined],
])('%s is a snapshot every %p minutes', (schedule, minutes) => {
  expect(minutesOfRate(schedule)).toBe(minutes);
});

test('is a table that a person can read', () => {
  const simulation = simulateRetention({ days: 3, everyMinutes: 60, policy: rules, lock, end: END });
  const text = simulationText(simulation, rules, lock, 3, END);

  expect(text).toContain('Taken    73 snapshots in 3 days, all verified;');
  expect(text).toMatch(/│\s+21 │ last of its hour\s+│ 2026-11-16 09:00 │ 2026-11-15 13:00 │ 23 h\s+│/);
});

const command = (...args: string[]) =>
  spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules', 'tsx', 'dist', 'cli.mjs'), join(ROOT, 'local', 'retention-simulate.ts'), ...args],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  );

test('the command reads the policy of a cluster from its config', () => {
  const { status, stdout } = command('--config', 'examples/production.lifeboat.json', '--days', '2');

  expect(status).toBe(0);
  expect(stdout).toMatch(/^Policy {3}hourly 24, daily 14, .*\nLock {5}governance, 7 days\nTaken {4}49 snapshots in 2 days/);
});

test.each([
  [['--config', 'examples/production.lifeboat.json', '--cluster', 'prod'], 'has no cluster "prod"; it has prod-eu, prod-us'],
  [['--config', 'examples/production.lifeboat.json', '--cluster', 'prod-us'], 'cron(0/30 * * * ? *) is no rate; say by --every'],
  [['--config', 'missing.json'], 'missing.json'],
  [['--days', '0'], 'give a whole number from 1 to 3660'],
])('the command refuses %p and says what to do', (args, message) => {
  const { status, stderr } = command(...args);

  expect(status).toBe(1);
  expect(stderr).toContain(message);
});
