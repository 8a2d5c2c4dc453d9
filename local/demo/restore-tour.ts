import { waitUntil } from '../child-process';
import { startLocalCloud } from '../cloud';
import type { Execution, LocalCloud } from '../cloud';
import type { Deployment } from '../deployment';
import { startReadProbe } from '../etcd/read-probe';
import type { ReadProbe } from '../etcd/read-probe';
import { seedKubernetesData } from '../etcd/kubernetes-data';
import { megabytes } from '../narrator';
import type { Narrator } from '../narrator';
import { startLocalNodes } from '../nodes';
import type { LocalNodes } from '../nodes';
import { approveAsPrinted, questionOf, reportOf } from './approval';
import { deployStep, takeSnapshot } from './first-steps';
import { followStates } from './follow-states';
import { DELETED, deleteResources, oldDataOf, survey, writeAfterSnapshot } from './live-data';
import { checkBack, showOldData, showQuestion, showTimes, whereToLookNext } from './present-restore';
import type { TourOptions } from './tour';

export const RESTORE_STEPS = 7;
const ENDS_WITHIN_MS = 600_000;
/** The state machine is done with the API servers one by one before it ends, so that this is only for their last step. */
const READY_WITHIN_MS = 30_000;

interface Stage {
  readonly cloud: LocalCloud;
  readonly nodes: LocalNodes;
  readonly lifeboat: Deployment;
}

/** The second guided tour: a control plane loses data, and the deployed state machine brings it back. */
export async function restoreTour(narrator: Narrator, options: TourOptions): Promise<void> {
  const closing: (() => Promise<void>)[] = [];
  try {
    narrator.title('kube-lifeboat: a control plane is restored, here on your machine');
    const cloud = await narrator.run(
      'start a local cloud',
      () => startLocalCloud({ schedules: false }),
      ({ endpoint }) => endpoint,
    );
    closing.unshift(() => cloud.stop());
    const nodes = await narrator.run(
      'start three control-plane nodes',
      () => startLocalNodes({ cloud }),
      (started) => `etcd ${started.release} and an API server each: ${started.nodes.map(({ name, host }) => `${name} ${host}`).join(', ')}`,
    );
    closing.unshift(() => nodes.stop());
    options.stopped.throwIfAborted();
    await prepare(narrator, options, { cloud, nodes });
  } finally {
    for (const close of closing) await close();
  }
}

async function prepare(narrator: Narrator, options: TourOptions, { cloud, nodes }: Omit<Stage, 'lifeboat'>): Promise<void> {
  await narrator.run(
    `fill etcd like a Kubernetes cluster, ${options.size} MB`,
    () => seedKubernetesData(nodes, { megabytes: options.size }),
    ({ objects, revision }) => `${objects} objects, revision ${revision}`,
  );
  const lifeboat = await deployStep(narrator, cloud, nodes);
  options.stopped.throwIfAborted();
  const probe = startReadProbe(nodes);
  try {
    await show(narrator, options, { cloud, nodes, lifeboat }, probe);
  } finally {
    await probe.stop();
  }
}

async function show(narrator: Narrator, options: TourOptions, stage: Stage, probe: ReadProbe): Promise<void> {
  const { nodes, lifeboat } = stage;
  const snapshot = await narrator.run(
    'take a snapshot by the deployed function',
    () => takeSnapshot(lifeboat),
    ({ id, stored }) => `${id}, ${megabytes(stored.bytes)} stored, verified`,
  );
  const late = await writeAfterSnapshot(nodes);
  const deleted = await narrator.run(
    'delete from the live etcd',
    () => deleteResources(nodes),
    (count) => `${count} objects: all ${DELETED.join(', ')}`,
  );
  const lost = await survey(nodes);
  narrator.check('objects that the live etcd lacks now', missing(snapshot.inventory, lost[0]?.inventory), deleted);

  const pids = nodes.nodes.map((node) => node.pid('etcd')).join();
  const { execution, question } = await narrator.run(
    'start the state machine; it asks',
    async () => {
      const started = await lifeboat.restore.start({});
      return { execution: started, question: await questionOf(lifeboat, started) };
    },
    () => 'approval.txt, also by SNS where the config names a topic',
  );
  showQuestion(narrator, question);
  narrator.check('etcd runs as before while nobody has approved', nodes.nodes.map((node) => node.pid('etcd')).join() === pids, true);
  options.stopped.throwIfAborted();

  const served = probe.highest;
  narrator.title('Approved by the command above; the states as they go by');
  const end = await run(narrator, stage, execution, question);
  const report = await reportOf(lifeboat, execution);
  await apiServersAreReady(nodes);

  narrator.title('What is back');
  narrator.check('the execution', end.status, 'SUCCEEDED');
  narrator.check('its report', report.outcome, 'RESTORED');
  await checkBack(narrator, nodes, { snapshot, lost, restored: await survey(nodes), late, served, report });
  const safety = (await lifeboat.snapshots()).find(({ id }) => id === report.safetySnapshot);
  narrator.check('what was there before the restore is a snapshot too, verified', safety?.verified, true);
  showOldData(narrator, oldDataOf(nodes, execution.name));
  narrator.title('How long it took');
  showTimes(narrator, report, probe.longestGap);
  if (!options.check) await stay(narrator, options, stage);
}

/** Approves, and tells of every state until the execution ends. */
async function run(narrator: Narrator, { cloud }: Stage, execution: Execution, question: string) {
  const told = followStates(narrator, execution);
  try {
    await approveAsPrinted(cloud, question);
    return await execution.wait({ timeoutMs: ENDS_WITHIN_MS });
  } finally {
    await told.stop();
  }
}

function missing(wanted: Readonly<Record<string, number>>, found: Readonly<Record<string, number>> = {}): number {
  return Object.entries(wanted).reduce((sum, [name, count]) => sum + Math.max(0, count - (found[name] ?? 0)), 0);
}

async function apiServersAreReady({ nodes }: LocalNodes): Promise<void> {
  for (const node of nodes) await waitUntil(`the API server of ${node.name} is ready`, READY_WITHIN_MS, () => node.apiserverIsReady());
}

/** Keeps everything running until Ctrl-C. */
async function stay(narrator: Narrator, { stopped }: TourOptions, { cloud, nodes, lifeboat }: Stage): Promise<void> {
  narrator.title('Where to look next');
  whereToLookNext(narrator, cloud, lifeboat, nodes);
  if (!stopped.aborted) await new Promise((resolve) => stopped.addEventListener('abort', resolve, { once: true }));
}
