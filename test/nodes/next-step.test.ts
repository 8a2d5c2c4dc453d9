import fc from 'fast-check';
import { nextStep } from '../../lambdas/nodes/next-step';
import type { Attempt, Circumstances } from '../../lambdas/nodes/next-step';
import type { Reading } from '../../lambdas/nodes/read-result';

const NOW = new Date('2026-11-26T03:00:00.000Z');
const ago = (seconds: number): string => new Date(NOW.getTime() - seconds * 1000).toISOString();
const AROUND: Circumstances = { silenceSeconds: 180, online: true, now: NOW };
const AWAY: Circumstances = { ...AROUND, online: false };
const attempted = (change: Partial<Attempt> = {}): Attempt => ({ commandId: 'c', since: ago(10), runSeconds: 600, ...change });
const failed = (error: 'NodeBusy' | 'NoSpace'): Reading<'stop'> => ({ outcome: 'failed', error, message: 'why', fix: 'what to do' });
const garbled: Reading<'stop'> = { outcome: 'garbled', because: 'it was rebooted' };
const away: Reading<'stop'> = { outcome: 'undeliverable', because: 'no agent' };
const running: Reading<'stop'> = { outcome: 'running', delivered: true, because: 'InProgress' };
const pending: Reading<'stop'> = { outcome: 'running', delivered: false, because: 'Pending' };
const timedOut: Reading<'stop'> = { outcome: 'timed-out', because: 'cut short' };

test.each<[sentence: string, reading: Reading<'stop'>, attempt: Partial<Attempt>, next: string, cancel: boolean]>([
  ['is read again while it runs', running, {}, 'read', false],
  ['is read again until the time for it is over', running, { since: ago(599) }, 'read', false],
  ['is cancelled and sent again when it should have ended', running, { since: ago(600) }, 'send', true],
  ['may run as long again when it was sent again', running, { since: ago(599), troubleSince: ago(700) }, 'read', false],
  ['is cancelled and given up when the time is over once more', running, { since: ago(600), troubleSince: ago(605) }, 'over', true],
  ['is read again until its node had the time to take it', pending, { since: ago(59) }, 'read', false],
  ['is cancelled and sent again when its node has not taken it', pending, { since: ago(60) }, 'send', true],
  ['is cancelled and given up when its node took nothing for too long', pending, { since: ago(5), troubleSince: ago(181) }, 'over', true],
  ['is final when it failed', failed('NoSpace'), {}, 'over', false],
  ['is final when it was cut short', timedOut, {}, 'over', false],
  ['is sent again when another one still ran', failed('NodeBusy'), {}, 'send', false],
  ['is sent again when it ended without a word', garbled, {}, 'send', false],
  ['is sent again when it was not delivered', away, { troubleSince: ago(100) }, 'send', false],
  ['is given up when the node was silent for too long', away, { troubleSince: ago(176) }, 'over', false],
  ['is given up when others never end', failed('NodeBusy'), { troubleSince: ago(176) }, 'over', false],
])('a document %s', (_sentence, reading, attempt, next, cancel) => {
  expect(nextStep(reading, attempted(attempt), AROUND)).toMatchObject({ next, cancel });
});

test.each<[sentence: string, reading: Reading<'stop'>, attempt: Partial<Attempt>, expected: object]>([
  ['is waited for', running, {}, { next: 'read', attempt: { awaySince: NOW.toISOString() } }],
  ['is waited for from the first sign on', running, { awaySince: ago(179) }, { next: 'read', attempt: { awaySince: ago(179) } }],
  [
    'is given up when it is away for too long',
    running,
    { awaySince: ago(180) },
    { next: 'over', cancel: true, outcome: { outcome: 'lost' } },
  ],
  [
    'never ran what it had not taken',
    pending,
    { awaySince: ago(180) },
    { next: 'over', cancel: true, outcome: { outcome: 'undeliverable' } },
  ],
  ['was silent before, when it took nothing', pending, { troubleSince: ago(100) }, { next: 'read', attempt: { awaySince: ago(100) } }],
  ['gets nothing sent again meanwhile', running, { since: ago(900), awaySince: ago(100) }, { next: 'read' }],
])('a node that goes away under a document %s', (_sentence, reading, attempt, expected) => {
  expect(nextStep(reading, attempted(attempt), AWAY)).toMatchObject(expected);
});

test.each<[sentence: string, attempt: Partial<Attempt>, around: Circumstances]>([
  ['the time of the document', { since: ago(598) }, AROUND],
  ['the patience with its node', { since: ago(590), awaySince: ago(178) }, AWAY],
])('a document is looked at again in the moment in which %s is over', (_sentence, attempt, around) => {
  expect(nextStep(running, attempted(attempt), around)).toMatchObject({ next: 'read', waitSeconds: 2 });
});

test('a node that comes back may go away again for as long', () => {
  const back = nextStep(running, attempted({ awaySince: ago(170) }), AROUND);
  const rebooted = nextStep(garbled, attempted({ awaySince: ago(170) }), AROUND);

  for (const step of [back, rebooted]) {
    expect(step).toHaveProperty('attempt');
    expect(step).not.toHaveProperty('attempt.awaySince');
  }
});

test('the silence of a node is counted from its first sign, however often it is asked', () => {
  const first = nextStep(garbled, attempted({ since: ago(3000) }), AROUND);
  expect(first).toMatchObject({ next: 'send', attempt: { troubleSince: NOW.toISOString() } });

  const later = new Date(NOW.getTime() + 60_000);
  expect(nextStep(away, 'attempt' in first ? first.attempt : attempted(), { ...AROUND, now: later })).toMatchObject({
    attempt: { troubleSince: NOW.toISOString() },
  });
});

/** How long a document is waited for whose node is dead, by what Systems Manager says of it; seconds. */
function waitedFor(runSeconds: number, silenceSeconds: number, noticedAfter: number): number {
  let [ran, attempt] = [0, attempted({ since: NOW.toISOString(), runSeconds })];
  let taken = true;
  for (;;) {
    const now = new Date(NOW.getTime() + ran * 1000);
    const step = nextStep(taken ? running : pending, attempt, { silenceSeconds, online: ran < noticedAfter, now });
    if (step.next === 'over') return ran;
    ran += step.waitSeconds;
    attempt = step.attempt;
    if (step.next === 'send') [taken, attempt] = [false, { ...attempt, since: new Date(NOW.getTime() + ran * 1000).toISOString() }];
  }
}

test('a dead node is given up when the document’s own time and the patience of the runbook are over, whenever Systems Manager misses it', () => {
  const seconds = fc.integer({ min: 0, max: 3600 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3600 }), seconds, fc.oneof(seconds, fc.constant(Infinity)), (run, silence, noticed) => {
      const waited = waitedFor(run, silence, noticed);

      // Looks are at most a minute apart, and one that was sent again is looked at within seconds.
      expect(waited).toBeLessThanOrEqual(Math.min(run, noticed + 60) + silence + 10);
    }),
  );
});

test('an hour of looking at nine nodes leaves room in the history of an execution', () => {
  let [looks, ran] = [0, 0];
  while (ran < 3600) {
    const now = new Date(NOW.getTime() + ran * 1000);
    const step = nextStep(running, attempted({ since: NOW.toISOString(), runSeconds: 3600 }), { ...AROUND, silenceSeconds: 0, now });
    ran += 'waitSeconds' in step ? step.waitSeconds : Infinity;
    looks++;
  }

  expect(looks * 12 * 9).toBeLessThan(25_000 / 2);
});

test.each([
  ['undelivered', away, AROUND, 'undeliverable'],
  ['away', running, AWAY, 'lost'],
  ['beyond its time', running, { ...AROUND, now: new Date(NOW.getTime() + 600_000) }, 'timed-out'],
] as const)('nobody is waited for who is %s when the runbook has no patience', (_sentence, reading, around, outcome) => {
  expect(nextStep(reading, attempted(), { ...around, silenceSeconds: 0 })).toMatchObject({ next: 'over', outcome: { outcome } });
});
