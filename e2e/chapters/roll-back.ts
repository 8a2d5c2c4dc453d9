import { sleep, waitUntil } from '../../local/child-process';
import { takeSnapshot } from '../../local/demo/first-steps';
import type { Narrator } from '../../local/narrator';
import type { Chapter, Measured } from '../chapter';
import { leadersRenew } from '../leases';
import { runRestore } from '../runbook';
import { watching } from '../watcher';
import type { Watcher } from '../watcher';
import { KEPT_NAMESPACE, configMap, deployment, podsAreScheduled } from '../workload';
import type { World } from '../world';

const WITHIN_MS = 120_000;
/** A watch that works tells of a change in milliseconds. */
const DEAF_AFTER_MS = 10_000;

const MADE = 'made-before-the-roll-back';
const WATCHED = `/api/v1/namespaces/${KEPT_NAMESPACE}/configmaps`;

/** A restore that everybody has seen already is undone: what was made after the snapshot is there again, and clients are ahead of etcd. */
export const rollBackChapter: Chapter = {
  name: 'roll-back',
  title: 'A restore is undone after clients have seen it',
  steps: 7,
  tell: (narrator, world) => watching(world, WATCHED, (watcher) => tell(narrator, world, watcher)),
};

async function tell(narrator: Narrator, world: World, watcher: Watcher): Promise<Measured> {
  const { kubectl, traffic } = world;
  await narrator.run('take a snapshot, and make objects after it', async () => {
    await takeSnapshot(world.lifeboat);
    await kubectl.apply([configMap(KEPT_NAMESPACE, MADE, {})]);
  });
  const restored = await narrator.run(
    'restore',
    () => runRestore(narrator, world, { approval: 'skip' }),
    ({ status }) => status,
  );
  narrator.check('the restore', restored.report.outcome, 'RESTORED');
  await narrator.run('clients see what is restored', async () => {
    await waitUntil('what was made after the snapshot is gone', WITHIN_MS, () => Promise.resolve(!watcher.known.has(MADE)));
    await hears(world, watcher, 'seen-in-the-restored-data');
  });

  const began = Date.now();
  const undone = await narrator.run(
    'undo it by another execution',
    () => runRestore(narrator, world, { rollBack: restored.restoreId, approval: 'skip' }),
    ({ status }) => status,
  );
  const { downtimeSeconds } = traffic.since(began);
  narrator.check('the second execution', undone.report.outcome, 'ROLLED_BACK');
  narrator.check(
    'its report says that clients are ahead',
    undone.report.whatToDo.some((line) => line.startsWith('clients may have seen the restored data')),
    true,
  );
  await narrator.run('every API server has it again', () => isBack(narrator, world));
  const deaf = await narrator.run(
    'what a client hears that goes on watching',
    () => isDeaf(world, watcher),
    (found) => (found ? 'nothing' : 'everything'),
  );
  await narrator.run('restart controllers, as the report says', () => restartControllers(world));
  return { downtimeSeconds, watchIsDeafAfterwards: deaf };
}

/** Makes an object, and waits until the watch tells of it. */
async function hears({ kubectl }: World, watcher: Watcher, name: string): Promise<void> {
  await kubectl.apply([configMap(KEPT_NAMESPACE, name, {})]);
  await waitUntil(`the watch hears of ${name}`, WITHIN_MS, () => Promise.resolve(watcher.known.has(name)));
}

/** Whether its watch goes on from a revision that etcd has not reached again, and nobody tells it so. */
async function isDeaf({ kubectl }: World, watcher: Watcher): Promise<boolean> {
  const name = 'written-after-the-roll-back';
  await kubectl.apply([configMap(KEPT_NAMESPACE, name, {})]);
  await sleep(DEAF_AFTER_MS);
  return !watcher.known.has(name);
}

async function isBack(narrator: Narrator, { eachApiserver }: World): Promise<void> {
  for (const { name, kubectl } of eachApiserver) {
    const found = await kubectl.run(['get', 'configmap', MADE, '--namespace', KEPT_NAMESPACE, '--ignore-not-found', '-o', 'name']);
    narrator.check(`what was made after the snapshot, by ${name}`, found.trim(), `configmap/${MADE}`);
  }
}

/** Their kubelet starts them again. */
async function restartControllers({ nodes, kubectl }: World): Promise<void> {
  for (const node of nodes.nodes)
    for (const pod of ['kube-controller-manager', 'kube-scheduler'] as const) {
      const pid = node.pid(pod);
      if (pid !== undefined) process.kill(pid, 'SIGTERM');
    }
  await leadersRenew(kubectl, WITHIN_MS);
  await kubectl.apply([deployment(KEPT_NAMESPACE, 'made-after-the-roll-back', 2)]);
  await podsAreScheduled(kubectl, KEPT_NAMESPACE, 'made-after-the-roll-back', 2);
}
