import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sleep, waitUntil } from '../child-process';
import { startLocalCloud } from '../cloud';
import type { LocalCloud } from '../cloud';
import { deployLifeboat } from '../deployment';
import type { Deployment } from '../deployment';
import { startEtcdCluster } from '../etcd/cluster';
import type { EtcdCluster } from '../etcd/cluster';
import { seedKubernetesData } from '../etcd/kubernetes-data';
import { checkDivergence, oneMemberDiverges, showAlarms } from './attestation';
import { DAYS, LOCK, RETENTION, checkPruning, daysPass, showVerdicts } from './retention';
import { megabytes } from '../narrator';
import type { Narrator } from '../narrator';
import { checkProof, showManifest, showSnapshots, whereToLook } from './present';
import { proveSnapshot } from './prove-snapshot';

export interface TourOptions {
  readonly check: boolean;
  /** MB of data in etcd. */
  readonly size: number;
  readonly stopped: AbortSignal;
}

const SCHEDULE = 'rate(1 minute)';
/** A minute of schedule and the local scheduler's sweep of ten seconds, on a machine that may be busy. */
const SCHEDULED_WITHIN_MS = 180_000;

/** The guided tour: brings everything up, shows it, and takes everything down again, whatever happens. */
export async function tour(narrator: Narrator, options: TourOptions): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-demo-'));
  const closing: (() => Promise<void>)[] = [];
  try {
    narrator.title('kube-lifeboat: a control-plane lifeboat, here on your machine');
    const cloud = await narrator.run(
      'start a local cloud',
      () => startLocalCloud(),
      ({ endpoint }) => endpoint,
    );
    closing.unshift(() => cloud.stop());
    const etcd = await narrator.run(
      'start etcd, three members, TLS everywhere',
      () => startEtcdCluster(),
      ({ endpoints }) => endpoints.join(' '),
    );
    closing.unshift(() => etcd.stop());
    options.stopped.throwIfAborted();
    await show(narrator, options, cloud, etcd, folder);
  } finally {
    for (const close of closing) await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function show(narrator: Narrator, options: TourOptions, cloud: LocalCloud, etcd: EtcdCluster, folder: string): Promise<void> {
  const seeded = await narrator.run(
    `fill it like a Kubernetes cluster, ${options.size} MB`,
    () => seedKubernetesData(etcd, { megabytes: options.size }),
    ({ objects, revision }) => `${objects} objects, revision ${revision}`,
  );
  const lifeboat = await narrator.run(
    'cdk deploy, the app unchanged',
    async () => {
      const deployed = await deployLifeboat(cloud, { endpoints: etcd.endpoints, schedule: SCHEDULE, retention: RETENTION, lock: LOCK });
      await deployed.putSecret(etcd.credentials);
      return deployed;
    },
    ({ takeSnapshotFunction }) => takeSnapshotFunction,
  );
  options.stopped.throwIfAborted();

  await narrator.run(
    'take a snapshot by hand',
    () => takeByHand(lifeboat),
    ({ storedBytes }) => `${megabytes(storedBytes)} stored`,
  );
  const [manual] = await lifeboat.snapshots();
  if (!manual) throw new Error('the snapshot that was taken is not listed');
  const proof = await narrator.run(
    'restore it with the tools of others',
    () => proveSnapshot(cloud, lifeboat.bucket, manual, folder, etcd.release),
    ({ decompressedWith }) => `aws s3 cp, ${decompressedWith}, etcdutl, etcd`,
  );
  await narrator.run(
    'wait for the schedule to take one',
    () => scheduledOne(lifeboat, options.stopped),
    () => SCHEDULE,
  );
  const listed = await lifeboat.snapshots();
  options.stopped.throwIfAborted();
  const verdicts = await narrator.run(
    `let ${DAYS} days pass, a snapshot each, and prune`,
    () => daysPass(cloud, lifeboat),
    (all) => `${all.filter(({ action }) => action === 'remove').length} of ${all.length} removed`,
  );
  options.stopped.throwIfAborted();
  const divergence = await narrator.run(
    'change a byte in one member, and back up',
    () => oneMemberDiverges(cloud, lifeboat, etcd),
    ({ victim, taken }) => `${victim.name} differs, ${taken.insteadOf === undefined ? '' : 'refused as a source, '}verified from another`,
  );

  narrator.title('What lies in S3');
  showSnapshots(narrator, listed);
  narrator.title(`What is known of ${manual.id}`);
  showManifest(narrator, manual);
  narrator.title('What it proves');
  checkProof(narrator, manual, proof, seeded.objects);
  narrator.title(`What retention left after ${DAYS} days`);
  showVerdicts(narrator, verdicts);
  await checkPruning(narrator, lifeboat, verdicts);
  narrator.title('What is said of the member that diverged');
  showAlarms(narrator, divergence.alarms);
  await checkDivergence(narrator, lifeboat, divergence);
  if (!options.check) await stay(narrator, options, cloud, lifeboat, etcd);
}

async function takeByHand(lifeboat: Deployment): Promise<{ readonly storedBytes: number }> {
  const answer = await lifeboat.takeSnapshot({ trigger: 'manual', note: 'the first one' });
  if (answer.outcome === 'failed') throw new Error(`take-snapshot failed with ${answer.error.name}: ${answer.error.message}`);
  const [taken] = await lifeboat.snapshots();
  return { storedBytes: taken?.stored.bytes ?? 0 };
}

async function scheduledOne(lifeboat: Deployment, stopped: AbortSignal): Promise<void> {
  const arrived = async () => stopped.aborted || (await lifeboat.snapshots()).some(({ trigger }) => trigger === 'scheduled');
  await waitUntil('a scheduled snapshot is listed', SCHEDULED_WITHIN_MS, arrived, 500);
  stopped.throwIfAborted();
}

/** Keeps everything running and tells of each further snapshot, until Ctrl-C. */
async function stay(narrator: Narrator, options: TourOptions, cloud: LocalCloud, lifeboat: Deployment, etcd: EtcdCluster): Promise<void> {
  narrator.title('Where to look next');
  whereToLook(narrator, cloud, lifeboat, etcd);
  const known = new Set((await lifeboat.snapshots()).map(({ id }) => id));
  while (!options.stopped.aborted) {
    const fresh = (await lifeboat.snapshots()).filter(({ id }) => !known.has(id));
    for (const { id, revision, verified, trigger, stored } of fresh) {
      known.add(id);
      narrator.say(`      ${id}  ${trigger}  revision ${revision}  ${megabytes(stored.bytes)}  ${verified ? 'verified' : 'NOT VERIFIED'}`);
    }
    await Promise.race([sleep(2_000), new Promise((resolve) => options.stopped.addEventListener('abort', resolve, { once: true }))]);
  }
}
