import type { Invocation } from '../../lambdas/nodes/read-result';
import { readInvocation } from '../../lambdas/nodes/read-result';

const now = {
  data: 'original',
  etcd: { definition: 'kept', running: false },
  apiserver: { definition: 'kept', running: false, ready: false },
};
const DONE = JSON.stringify({ ok: true, command: 'stop', now, seconds: 3 });
const FAILED = JSON.stringify({ ok: false, command: 'stop', error: 'EtcdStillRuns', message: 'm', fix: 'f' });

const containing = (text: string): unknown => expect.stringContaining(text);
const read = (change: Partial<Invocation>) =>
  readInvocation('stop', { status: 'Success', statusDetails: 'Success', responseCode: 0, stdout: '', stderr: '', ...change });

test.each<[sentence: string, change: Partial<Invocation>, outcome: object]>([
  [
    'a command that waits is running',
    { status: 'Pending', responseCode: -1 },
    { outcome: 'running', delivered: false, because: 'Pending' },
  ],
  ['one that AWS tries to deliver again is running', { status: 'Delayed', responseCode: -1 }, { outcome: 'running', delivered: false }],
  [
    'one that the agent has taken is running',
    { status: 'InProgress', statusDetails: 'InProgress' },
    { outcome: 'running', delivered: true },
  ],
  ['a command that is being cancelled is running', { status: 'Cancelling' }, { outcome: 'running' }],
  ['the last line is the result', { stdout: `noise\n${DONE}\n` }, { outcome: 'done', result: { now, seconds: 3 } }],
  [
    'a failure names itself',
    { status: 'Failed', responseCode: 1, stdout: FAILED },
    { outcome: 'failed', error: 'EtcdStillRuns', fix: 'f' },
  ],
  ['a result counts more than the time-out that came after it', { status: 'TimedOut', stdout: DONE }, { outcome: 'done' }],
  ['an execution that took too long', { status: 'TimedOut', statusDetails: 'Execution Timed Out' }, { outcome: 'timed-out' }],
  ['a cancelled one', { status: 'Cancelled', statusDetails: 'Cancelled' }, { outcome: 'timed-out' }],
  ['one that was not fetched in time', { status: 'TimedOut', statusDetails: 'Delivery Timed Out' }, { outcome: 'undeliverable' }],
  ['one for a node that is gone', { status: 'Failed', statusDetails: 'Undeliverable' }, { outcome: 'undeliverable' }],
  [
    'one that the power cut ended',
    { status: 'Failed', statusDetails: 'Failed', responseCode: 137 },
    { outcome: 'garbled', because: containing('137') },
  ],
  ['success without a result', { stdout: 'hello' }, { outcome: 'garbled', because: containing('hello') }],
  ['a result of another document', { stdout: DONE.replace('stop', 'start') }, { outcome: 'garbled' }],
  ['a failure of another document', { status: 'Failed', stdout: FAILED.replace('stop', 'start') }, { outcome: 'garbled' }],
  [
    'a result that lacks something, by the name of what it lacks',
    { stdout: '{"ok":true,"command":"stop","now":{}}' },
    { outcome: 'garbled', because: containing('now.etcd') },
  ],
  ['a result that was cut off at the limit of its length', { stdout: DONE.slice(0, -5) }, { outcome: 'garbled' }],
  [
    'nothing on stdout, by the last words on stderr',
    { status: 'Failed', stderr: 'bash: not found' },
    { outcome: 'garbled', because: containing('bash: not found') },
  ],
])('%s', (_sentence, change, outcome) => {
  expect(read(change)).toMatchObject(outcome);
});
