import type { RestoreReport } from '../../lambdas/contract/restore';
import { sleep, waitUntil } from '../../local/child-process';
import type { Kubectl } from '../../local/kubectl';
import { takeSnapshot } from '../../local/demo/first-steps';
import type { Narrator } from '../../local/narrator';
import type { Chapter, Measured } from '../chapter';
import { leadersRenew } from '../leases';
import { runRestore } from '../runbook';
import type { Traffic } from '../traffic';
import { watching } from '../watcher';
import type { Watcher } from '../watcher';
import { BOATS, KEPT_NAMESPACE, LOST_NAMESPACE, configMap, deployment, inventoryOf, lackingIn, podsAreScheduled } from '../workload';
import type { World } from '../world';

const BACK_WITHIN_MS = 120_000;
/** The balancer asks every second, and believes the second good answer. */
const SEEN_BY_BALANCER_MS = 3_000;

const LATE_NAMESPACE = 'made-after-the-snapshot';
const WATCHED = `/api/v1/namespaces/${KEPT_NAMESPACE}/configmaps`;
const DELETED_SETTINGS = ['settings-1', 'settings-2', 'settings-3'];

/** Objects are deleted by kubectl, and the deployed runbook brings them back while real API servers, controllers and clients look on. */
export const restoreChapter: Chapter = {
  name: 'restore',
  title: 'Objects are deleted, and the whole control plane is restored',
  steps: 9,
  tell: (narrator, world) => watching(world, WATCHED, (watcher) => tell(narrator, world, watcher)),
};

async function tell(narrator: Narrator, world: World, watcher: Watcher): Promise<Measured> {
  const { kubectl, traffic } = world;
  const began = Date.now();
  const wanted = await inventoryOf(kubectl);
  const snapshot = await narrator.run(
    'take a snapshot by the deployed function',
    () => takeSnapshot(world.lifeboat),
    ({ id }) => id,
  );
  await narrator.run(
    'delete, change and make objects by kubectl',
    () => ruin(kubectl),
    () => `namespace ${LOST_NAMESPACE}, ${DELETED_SETTINGS.length} config maps, the definition of ${BOATS}`,
  );
  const lost = lackingIn(await inventoryOf(kubectl, STILL_SERVED), wanted);
  narrator.check('something is lost', lost.length > 50, true);
  await waitUntil('the watch hears of it', BACK_WITHIN_MS, () =>
    Promise.resolve(DELETED_SETTINGS.every((name) => !watcher.known.has(name))),
  );
  narrator.check('requests that failed so far', traffic.since(began).failedRequests, 0);

  const { status, report, endedAt } = await narrator.run(
    'run the deployed restore, approved as it asks',
    () => runRestore(narrator, world, {}),
    (end) => `${end.status}, ${(end.report.downtimeSeconds ?? Number.NaN).toFixed(1)} s without etcd`,
  );
  narrator.check('the execution', status, 'SUCCEEDED');
  narrator.check('its report', report.outcome, 'RESTORED');
  narrator.check('it restored', report.snapshot, snapshot.id);

  await narrator.run('every API server has every object again', () => allAreBack(narrator, world, wanted));
  await narrator.run('controller-manager and scheduler lead again', () => leadersRenew(kubectl, BACK_WITHIN_MS));
  await narrator.run('new writes work, on each API server', () => writesWork(narrator, world));
  await narrator.run('a new deployment gets pods that are scheduled', () => controllersWork(kubectl));
  await narrator.run(
    'the old watch hears of all of it',
    () => watchHears(narrator, world, watcher),
    () => `listed anew ${watcher.expired} times, opened ${watcher.opened} times`,
  );
  const quiet = await narrator.run('ten quiet seconds', () => quietSeconds(traffic));
  narrator.check('requests that failed in them', quiet, 0);
  return measured(narrator, traffic, began, report, endedAt, watcher);
}

/** Without the custom resources, whose definition is gone. */
const STILL_SERVED = ['namespaces', 'nodes', 'configmaps', 'secrets', 'serviceaccounts', 'deployments', 'replicasets', 'pods'];

async function ruin(kubectl: Kubectl): Promise<void> {
  await kubectl.run(['delete', 'crd', BOATS, '--timeout=60s']);
  await kubectl.run(['delete', 'namespace', LOST_NAMESPACE, '--timeout=120s']);
  await kubectl.run(['delete', 'configmap', ...DELETED_SETTINGS, '--namespace', KEPT_NAMESPACE]);
  await kubectl.apply([configMap(KEPT_NAMESPACE, 'settings-9', { version: 'second' })]);
  await kubectl.run(['create', 'namespace', LATE_NAMESPACE]);
}

async function allAreBack(narrator: Narrator, { eachApiserver, kubectl }: World, wanted: ReadonlyMap<string, string>): Promise<void> {
  await waitUntil(
    'custom resources are served again',
    BACK_WITHIN_MS,
    async () =>
      (await Promise.all(eachApiserver.map((each) => inventoryOf(each.kubectl).catch(() => undefined)))).every(
        (found) => found !== undefined && lackingIn(found, wanted).length === 0,
      ),
    1_000,
  ).catch(() => undefined);
  for (const each of [{ name: 'the balancer', kubectl }, ...eachApiserver]) {
    const found = await inventoryOf(each.kubectl);
    narrator.check(
      `objects by ${each.name} that are not as in the snapshot`,
      lackingIn(found, wanted).slice(0, 5).join(', ') || 'none',
      'none',
    );
    narrator.check(`made after the snapshot, by ${each.name}`, found.has(`Namespace /${LATE_NAMESPACE}`), false);
    const settings = await each.kubectl.run(['get', 'configmap', 'settings-9', '-n', KEPT_NAMESPACE, '-o', 'jsonpath={.data.version}']);
    narrator.check(`what was changed, by ${each.name}`, settings, 'first');
  }
}

/** What one API server was told is seen on all of them. */
async function writesWork(narrator: Narrator, { eachApiserver }: World): Promise<void> {
  const written = eachApiserver.map(({ name }) => `written-by-${name}`);
  for (const { name, kubectl } of eachApiserver) await kubectl.apply([configMap(KEPT_NAMESPACE, `written-by-${name}`, {})]);
  for (const { name, kubectl } of eachApiserver) {
    const found = await kubectl.run(['get', 'configmap', ...written, '--namespace', KEPT_NAMESPACE, '-o', 'name']);
    narrator.check(`of these ${name} has`, found.trim().split('\n').length, written.length);
  }
}

async function controllersWork(kubectl: Kubectl): Promise<void> {
  await kubectl.apply([deployment(KEPT_NAMESPACE, 'made-after-the-restore', 3)]);
  await podsAreScheduled(kubectl, KEPT_NAMESPACE, 'made-after-the-restore', 3);
}

async function watchHears(narrator: Narrator, { kubectl }: World, watcher: Watcher): Promise<void> {
  await waitUntil('the watch knows what came back', BACK_WITHIN_MS, () =>
    Promise.resolve(DELETED_SETTINGS.every((name) => watcher.known.has(name))),
  );
  const heard = watcher.heard;
  await kubectl.apply([configMap(KEPT_NAMESPACE, 'made-while-watched', {})]);
  await waitUntil('the watch hears of what is new', BACK_WITHIN_MS, () => Promise.resolve(watcher.known.has('made-while-watched')));
  narrator.check('it was told that what it knew was too old', watcher.expired > 0, true);
  narrator.check('and hears by watching again', watcher.heard > heard, true);
}

async function quietSeconds(traffic: Traffic): Promise<number> {
  const began = Date.now();
  await sleep(10_000);
  return traffic.since(began).failedRequests;
}

function measured(narrator: Narrator, traffic: Traffic, began: number, report: RestoreReport, endedAt: number, watcher: Watcher): Measured {
  const stopped = Date.parse(report.phases.find(({ state }) => state === 'StopControlPlane')?.startedAt ?? '');
  const apiservers = report.phases.find(({ state }) => state === 'StartApiservers');
  const started = Date.parse(apiservers?.startedAt ?? '') + (apiservers?.seconds ?? Number.NaN) * 1000;
  const failed = traffic.sent.filter(({ at, failure }) => at >= began && failure !== undefined);
  const outside = failed.filter(({ at, ms }) => at + ms < stopped || at > started + SEEN_BY_BALANCER_MS);
  narrator.check('requests that failed while the API servers were not stopped', outside.length, 0);
  const { downtimeSeconds, ...summary } = traffic.since(began);
  narrator.say(
    `      ${downtimeSeconds.toFixed(1)} s without an answer for clients of the API, ${summary.failedRequests} of ${summary.requests} requests failed`,
  );
  for (const [failure, count] of Object.entries(summary.failures)) narrator.say(`      ${String(count).padStart(6)} × ${failure}`);
  return {
    ...summary,
    downtimeSeconds,
    failedOutsideOfDowntime: outside.length,
    etcdDowntimeSeconds: report.downtimeSeconds,
    seconds: Object.fromEntries(report.phases.map(({ state, seconds }) => [state, Number(seconds.toFixed(1))])),
    secondsFromStopToEnd: Number(((endedAt - stopped) / 1000).toFixed(1)),
    watchListedAnew: watcher.expired,
  };
}
