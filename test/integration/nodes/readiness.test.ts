import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { connect } from 'node:net';
import path from 'node:path';
import { nodeStateOf } from '../../../lambdas/nodes/node-state';
import { waitUntil } from '../../../local/child-process';
import type { LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import { failure, runScript, succeeded } from '../../support/node-script';
import { NodeUnderTest, snapshotOnDisk } from './staged-node';

// What the documents learn from kube-apiserver itself.
jest.setTimeout(120_000);

const ID = 'ready';
let nodes: LocalNodes;
let on: NodeUnderTest;
beforeAll(async () => {
  nodes = await startLocalNodes({ count: 1 });
  on = NodeUnderTest.of(nodes, await snapshotOnDisk(nodes.folder, '3.6'), ID);
});
afterAll(() => nodes.stop());
beforeEach(async () => {
  on.node.repairPrograms();
  await on.do('start', { what: 'both' });
});

const apiserver = async () => (await on.facts()).apiserver;

/** In the place of curl: each call gives the next of these answers, and the last one again and again. */
function answerBy(...answers: readonly string[]): void {
  const folder = path.join(nodes.folder, 'answers');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [index, answer] of answers.entries()) writeFileSync(path.join(folder, String(index)), answer);
  on.node.breakProgram('curl', `cd ${folder}; set -- *; cat "$1"; [ $# = 1 ] || rm "$1"`);
}

test('start ends when kube-apiserver says that it is ready, and stop says that it is not any more', async () => {
  expect((await on.do('stop', { what: 'both' })).now.apiserver).toEqual({ definition: 'kept', running: false, ready: false });
  expect((await on.do('start', { what: 'both' })).now.apiserver).toEqual({ definition: 'in-place', running: true, ready: true });
  expect(await apiserver()).toMatchObject({ ready: true, address: expect.stringMatching(`^${on.node.host}:\\d+$`) as string });
});

test('an API server without its etcd is not ready, and start names the check that fails', async () => {
  const restoreId = 'undone';
  await on.do('stop', { restoreId, what: 'both' });

  const outcome = failure(await on.run('start', { restoreId, what: 'apiserver', waitSeconds: '2' }));

  expect(outcome).toMatchObject({ error: 'ApiserverNotReady', message: expect.stringMatching(/answers 500.*fail: etcd/) as string });
  expect(await apiserver()).toMatchObject({ definition: 'in-place', running: true, ready: false });
  expect((await on.do('roll-back', { restoreId })).now).toMatchObject({
    etcd: { running: true },
    apiserver: { running: true, ready: true },
  });
});

test('a node whose etcd hangs does not serve, although all of it runs and listens', async () => {
  process.kill(on.node.pid('etcd') ?? 0, 'SIGSTOP');
  const hung = await on.facts();
  process.kill(on.node.pid('etcd') ?? 0, 'SIGCONT');

  expect(hung.etcd).toMatchObject({ running: true, listening: true });
  expect(nodeStateOf(hung, ID)).toMatchObject({ state: 'partly-stopped' });
  await waitUntil('it serves again', 20_000, async () => nodeStateOf(await on.facts(), ID).state === 'serving');
});

test('connections that say nothing keep nobody waiting', async () => {
  const [host, port] = ((await apiserver()).address ?? '').split(':');
  const silent = Array.from({ length: 5 }, () => connect(Number(port), host));
  await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));

  expect(await apiserver()).toMatchObject({ ready: true });
  for (const socket of silent) socket.destroy();
});

test('a watch that nobody ends holds the stop of kube-apiserver back for seconds, not until the kubelet loses patience', async () => {
  const watching = get(`${on.node.apiUrl}/api/v1/pods?watch=true`, { rejectUnauthorized: false, agent: false });
  watching.on('error', () => undefined);
  await new Promise((resolve) => watching.once('response', resolve));

  const { now, seconds } = await on.do('stop', { what: 'apiserver' });

  watching.destroy();
  expect(now.apiserver).toEqual({ definition: 'kept', running: false, ready: false });
  expect(seconds).toBeGreaterThanOrEqual(2);
  expect(seconds).toBeLessThan(15);
});

test('an API server that nobody told to end goes on although its manifest was taken away', async () => {
  const pid = on.node.pid('kube-apiserver');
  on.node.pauseKubelet();

  const outcome = failure(await on.run('stop', { what: 'apiserver', waitSeconds: '5' }));

  expect(outcome).toMatchObject({ error: 'ApiserverStillRuns' });
  expect(on.node.pid('kube-apiserver')).toBe(pid);
  on.node.resumeKubelet();
});

test.each<[sentence: string, answers: readonly string[], ready: boolean | null]>([
  ['refuses anonymous requests is taken as it is', ['{}\n401'], null],
  ['forbids for a moment is waited for', ['{}\n403', '{}\n403', 'ok\n200'], true],
  ['goes on forbidding is taken as it is in the end', ['{}\n403'], null],
  ['is not ready for a moment is waited for', ['\n000', '[-]etcd failed: reason withheld\n500', 'ok\n200'], true],
])('an API server that %s', async (_sentence, answers, ready) => {
  answerBy(...answers);

  expect((await on.do('start', { what: 'apiserver', waitSeconds: '2' })).now.apiserver).toMatchObject({ running: true, ready });
});

test('names the checks that fail, however many, and not the others', async () => {
  const failing = Array.from({ length: 60 }, (_, index) => `[-]poststarthook/${index} failed: reason withheld`);
  answerBy(['[+]ping ok', ...failing, 'readyz check failed', '500'].join('\n'));

  const { error, message } = failure(await on.run('start', { what: 'apiserver', waitSeconds: '1' }));

  expect(error).toBe('ApiserverNotReady');
  expect(message).toContain('fail: poststarthook/0 poststarthook/1 ');
  expect(message).not.toContain('ping');
  expect(message.length).toBeLessThan(500);
});

test('a node without curl tells that something listens, and no more', async () => {
  const folder = path.join(nodes.folder, 'without-curl');
  mkdirSync(folder);
  for (const name of readdirSync('/usr/bin').filter((each) => each !== 'curl'))
    symlinkSync(path.join('/usr/bin', name), path.join(folder, name));
  const env = { ...on.node.env, PATH: `${on.node.tree.binDir}:${folder}` };
  const run = async (command: 'start' | 'stop' | 'facts') => succeeded(command, await runScript(command, on.valuesOf(), env));

  await run('stop');

  expect(await run('start')).toMatchObject({ now: { apiserver: { running: true, ready: null } } });
  expect(await run('facts')).toMatchObject({ tools: { curl: false }, apiserver: { ready: null } });
});
