import { nextStep } from '../../lambdas/nodes/next-step';
import type { Attempt } from '../../lambdas/nodes/next-step';
import type { Reading } from '../../lambdas/nodes/read-result';

const NOW = new Date('2026-11-26T03:00:00.000Z');
const ago = (seconds: number): string => new Date(NOW.getTime() - seconds * 1000).toISOString();
const PATIENCE = { runSeconds: 600, silenceSeconds: 180 };
const failed = (error: 'NodeBusy' | 'NoSpace'): Reading<'stop'> => ({ outcome: 'failed', error, message: 'why', fix: 'what to do' });
const garbled: Reading<'stop'> = { outcome: 'garbled', because: 'it was rebooted' };
const away: Reading<'stop'> = { outcome: 'undeliverable', because: 'no agent' };
const running: Reading<'stop'> = { outcome: 'running', because: 'InProgress' };
const timedOut: Reading<'stop'> = { outcome: 'timed-out', because: 'cut short' };

test.each<[sentence: string, reading: Reading<'stop'>, attempt: Partial<Attempt>, next: string]>([
  ['is read again while it runs', running, {}, 'read'],
  ['is cancelled when its agent did not end it in time', running, { since: ago(781) }, 'cancel'],
  ['is read again until its agent had the time to end it', running, { since: ago(779) }, 'read'],
  ['is final when it failed', failed('NoSpace'), {}, 'over'],
  ['is final when it was cut short', timedOut, {}, 'over'],
  ['is sent again when another one still ran', failed('NodeBusy'), {}, 'send'],
  ['is sent again when it ended without a word', garbled, {}, 'send'],
  ['is sent again when it was not delivered', away, { troubleSince: ago(100) }, 'send'],
  ['is given up when the node was silent for too long', away, { troubleSince: ago(176) }, 'over'],
  ['is given up when others never end', failed('NodeBusy'), { troubleSince: ago(176) }, 'over'],
])('a document %s', (_sentence, reading, attempt, next) => {
  expect(nextStep(reading, { commandId: 'c', since: ago(10), ...attempt }, PATIENCE, NOW)).toMatchObject({ next });
});

test('the silence of a node is counted from its first sign, however often it is asked', () => {
  const first = nextStep(garbled, { commandId: 'c', since: ago(3000) }, PATIENCE, NOW);
  expect(first).toMatchObject({ next: 'send', attempt: { troubleSince: NOW.toISOString() } });

  const later = new Date(NOW.getTime() + 60_000);
  expect(nextStep(away, 'attempt' in first ? first.attempt : { commandId: '', since: '' }, PATIENCE, later)).toMatchObject({
    attempt: { troubleSince: NOW.toISOString() },
  });
});

test('an hour of looking at nine nodes leaves room in the history of an execution', () => {
  let [looks, ran] = [0, 0];
  while (ran < 3600) {
    const step = nextStep(
      running,
      { commandId: 'c', since: NOW.toISOString() },
      { runSeconds: 3600, silenceSeconds: 0 },
      new Date(NOW.getTime() + ran * 1000),
    );
    ran += 'waitSeconds' in step ? step.waitSeconds : Infinity;
    looks++;
  }

  expect(looks * 12 * 9).toBeLessThan(25_000 / 2);
});

test('nobody is waited for when the runbook has no patience', () => {
  expect(nextStep(away, { commandId: 'c', since: ago(1) }, { runSeconds: 600, silenceSeconds: 0 }, NOW)).toMatchObject({
    next: 'over',
    outcome: away,
  });
});
