import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { NodeCommandName } from '../../../lambdas/contract/node-commands';
import { nodeStateOf } from '../../../lambdas/nodes/node-state';
import type { NodeState } from '../../../lambdas/nodes/node-state';
import { waitUntil } from '../../../local/child-process';
import type { LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import { killedAt } from '../../support/crash';
import { failure } from '../../support/node-script';
import { NodeUnderTest, serveByAws, snapshotOnDisk } from './staged-node';

// Every document is killed before each of its changes, on a node with a real etcd; then it is run again, or rolled back.
jest.setTimeout(240_000);

const ID = 'crash';
let nodes: LocalNodes;
let on: NodeUnderTest;
let otherDisk: string;
beforeAll(async () => {
  nodes = await startLocalNodes({ count: 1 });
  const snapshot = await snapshotOnDisk(nodes.folder, '3.6');
  on = NodeUnderTest.of(nodes, snapshot, ID);
  serveByAws(on.node, snapshot.file);
  // Memory is a disk of its own everywhere: there manifests are copied and not renamed.
  otherDisk = mkdtempSync('/dev/shm/lifeboat-');
});
afterAll(async () => {
  await nodes.stop();
  rmSync(otherDisk, { recursive: true, force: true });
});

type Change = Readonly<Record<string, string>>;

/** Kills a document at one step after another, each time from the same beginning. Returns how many steps there were. */
async function atEveryStep(command: NodeCommandName, change: Change, begin: () => unknown, then: () => Promise<void>): Promise<number> {
  for (let step = 1; ; step++) {
    await begin();
    if (!(await killedAt(step, command, on.valuesOf(change), on.node.env, nodes.folder))) return step - 1;
    await then();
  }
}

/** A killed document may live on for a moment: whoever asks then is told so, and asks again. */
async function state(change: Change = {}): Promise<NodeState> {
  let found = nodeStateOf(await on.do('facts', change), ID);
  await waitUntil('the node is not busy', 10_000, async () => {
    if (found.state === 'busy') found = nodeStateOf(await on.do('facts', change), ID);
    return found.state !== 'busy';
  });
  return found;
}

/** Copies of what lies on the node's disk, to begin from the same state again and again. */
const saved = (name: string): string => path.join(nodes.folder, name);
const copy = (from: string, to: string) => {
  rmSync(to, { recursive: true, force: true });
  execFileSync('cp', ['-a', from, to]);
};
function save(name: string): void {
  copy(path.join(on.node.tree.folder, 'var/lib'), saved(name));
}
/** Only while etcd is stopped. */
function load(name: string): void {
  rmSync(path.join(on.node.tree.manifestDir, 'etcd.yaml'), { force: true });
  rmSync(path.join(on.node.tree.manifestDir, 'kube-apiserver.yaml'), { force: true });
  copy(saved(name), path.join(on.node.tree.folder, 'var/lib'));
}

test('stage, killed at any step: nothing was stopped, and run again it has the snapshot', async () => {
  const forget = () => rmSync(path.join(on.node.tree.stateDir, 'restores'), { recursive: true, force: true });

  const steps = await atEveryStep('stage', {}, forget, async () => {
    expect(await state()).toMatchObject({ state: 'serving', data: 'old' });
    await on.do('stage');
    expect((await on.facts()).restores).toEqual([
      expect.objectContaining({ restoreId: ID, stagedSha256: on.valuesOf()['snapshotSha256'] }),
    ]);
  });

  expect(steps).toBeGreaterThanOrEqual(4);
});

describe.each([
  ['on one disk', () => ({})],
  ['with what it keeps on another disk', () => ({ stateDir: path.join(otherDisk, 'state') })],
])('killed at any step, %s', (_where, changeOf) => {
  test('stop is run again and everything is stopped', async () => {
    const change = changeOf();
    const serve = () => on.do('start', change);

    const steps = await atEveryStep('stop', change, serve, async () => {
      expect(await state(change)).toMatchObject({ state: expect.stringMatching('serving|partly-stopped') as string, data: 'old' });
      await on.do('stop', change);
      expect(await state(change)).toMatchObject({ state: 'stopped', data: 'old' });
    });

    expect(steps).toBeGreaterThanOrEqual(2);
    await on.do('start', change);
  });

  test('start is run again and everything serves', async () => {
    const change = changeOf();
    const halt = () => on.do('stop', change);

    const steps = await atEveryStep('start', change, halt, async () => {
      expect(await state(change)).toMatchObject({ state: expect.stringMatching('stopped|partly-stopped') as string, data: 'old' });
      await on.do('start', change);
      expect(await state(change)).toMatchObject({ state: 'serving', data: 'old' });
    });

    expect(steps).toBeGreaterThanOrEqual(2);
  });
});

describe('with the snapshot staged and everything stopped', () => {
  beforeAll(async () => {
    await on.do('stage');
    await on.do('stop');
    save('stopped');
    await on.do('restore-data');
    save('restored');
  });
  afterAll(async () => {
    await on.do('roll-back');
  });

  test('restore-data, killed at any step, is run again and the data is the snapshot’s', async () => {
    const steps = await atEveryStep('restore-data', {}, () => load('stopped'), async () => {
      expect(await state()).toMatchObject({ state: 'stopped', data: expect.stringMatching('old|half-swapped') as string });
      const { now } = await on.do('restore-data');
      expect(now).toMatchObject({ data: 'restored', etcd: { running: false } });
    }); // prettier-ignore

    expect(steps).toBeGreaterThanOrEqual(5);
  });

  test.each<[command: NodeCommandName, begin: string]>([
    ['restore-data', 'stopped'],
    ['start', 'restored'],
    ['roll-back', 'restored'],
  ])('%s, killed at any step, is rolled back and the old data serves', async (command, begin) => {
    // What serves was rolled back, and that restore stops nothing any more.
    const halted = async () => {
      if ((await on.facts()).etcd.keptBy === null) await on.do('stop', { restoreId: 'another' });
      load(begin);
    };

    const steps = await atEveryStep(command, {}, halted, async () => {
      await on.do('roll-back');
      const facts = await on.facts();
      expect(failure(await on.run('start'))).toMatchObject({ error: 'RolledBack' });
      expect(nodeStateOf(facts, ID)).toMatchObject({ state: 'serving', data: 'old' });
      expect(facts.data?.restoredBy).toBeNull();
    });

    expect(steps).toBeGreaterThanOrEqual(2);
    await halted();
  });
});
