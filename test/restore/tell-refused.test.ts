import { RefusedEvent, tellRefused } from '../../lambdas/restore/tell-refused';

const EXECUTION = 'arn:aws:states:eu-central-1:111122223333:execution:lifeboat-prod-restore:run-1';
const failure = { Error: 'RestoreRefused', Cause: JSON.stringify({ errorMessage: 'systems manager knows no node with the tag a=b' }) };
const refused = async (input: unknown, tell?: () => Promise<void>) => {
  const told: string[] = [];
  const events: string[] = [];
  const telemetry = { log: (event: string) => void events.push(event), warn: (event: string) => void events.push(event) };
  const edges = { cluster: 'prod', telemetry, tell: tell ?? (async (...words: string[]) => void told.push(...words)) };
  await tellRefused(edges, RefusedEvent.parse({ ending: 'refused', execution: EXECUTION, input, failure }));
  return { told, events };
};

test('a drill that was refused before it began is told to people, with what to mend', async () => {
  const { told, events } = await refused({ drill: true, approval: 'skip' });

  expect(told[0]).toBe('kube-lifeboat prod: drill refused, none was held');
  expect(told[1]).toMatch(/^RestoreRefused: systems manager knows no node with the tag a=b\n/);
  expect(told[1]).toContain(EXECUTION);
  expect(events).toEqual(['drill-refused']);
});

test.each([[{}], [{ drill: false }], ['drill'], [undefined]])('a restore by %j is seen by whoever started it', async (input) => {
  expect(await refused(input)).toEqual({ told: [], events: [] });
});

test('a topic that refuses changes nothing', async () => {
  const { events } = await refused({ drill: true }, () => Promise.reject(new Error('no such topic')));

  expect(events).toEqual(['drill-refused', 'nobody-told']);
});
