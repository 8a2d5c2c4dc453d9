// npm run bench:restore: how long the deployed runbook leaves a cluster without etcd, against what etcd's own tools need for the same data.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Manifest } from '../lambdas/contract/manifest';
import type { RestoreReport } from '../lambdas/contract/restore';
import { startLocalCloud } from '../local/cloud';
import type { LocalCloud } from '../local/cloud';
import { reportOf } from '../local/demo/approval';
import { fetchPlain } from '../local/demo/prove-snapshot';
import { deployLifeboat } from '../local/deployment';
import type { Deployment } from '../local/deployment';
import { seedKubernetesData } from '../local/etcd/kubernetes-data';
import { startReadProbe } from '../local/etcd/read-probe';
import { startLocalNodes } from '../local/nodes';
import type { LocalNodes } from '../local/nodes';
import { bareRestore } from './bare-restore';
import type { BareRestore } from './bare-restore';
import { median } from './measure';
import { benchOptions } from './options';

/** Somebody who goes from machine to machine. */
const APART_MS = 1_000;
const ENDS_WITHIN_MS = 1_200_000;

interface Round {
  readonly report: RestoreReport;
  /** Without an answer for a client that reads from any member every 50 ms. */
  readonly clientSeconds: number;
  readonly three: BareRestore;
  readonly apart: BareRestore;
  readonly single: BareRestore;
}

async function byRunbook(lifeboat: Deployment, nodes: LocalNodes, snapshot: string): Promise<Pick<Round, 'report' | 'clientSeconds'>> {
  const probe = startReadProbe(nodes);
  try {
    const execution = await lifeboat.restore.start({ snapshot, approval: 'skip' });
    const { status, cause } = await execution.wait({ timeoutMs: ENDS_WITHIN_MS });
    if (status !== 'SUCCEEDED') throw new Error(`the restore ended as ${status}: ${cause ?? 'without a word'}`);
    await probe.answered();
    return { report: await reportOf(lifeboat, execution), clientSeconds: probe.longestGap };
  } finally {
    await probe.stop();
  }
}

async function round(lifeboat: Deployment, nodes: LocalNodes, snapshot: string, plain: string): Promise<Round> {
  const ours = await byRunbook(lifeboat, nodes, snapshot);
  await Promise.all(nodes.nodes.map((node) => node.powerOff()));
  const three = await bareRestore(nodes, nodes.nodes, plain);
  const apart = await bareRestore(nodes, nodes.nodes, plain, APART_MS);
  const single = await bareRestore(nodes, nodes.nodes.slice(0, 1), plain);
  await Promise.all(nodes.nodes.map((node) => node.reboot()));
  await Promise.all(nodes.nodes.map((node) => node.ready()));
  return { ...ours, three, apart, single };
}

const told = (values: readonly number[]): string =>
  `median ${median(values).toFixed(2).padStart(6)} s   (${values.map((value) => value.toFixed(2)).join(', ')})`;
const line = (name: string, text: string): void => console.log(`${name.padEnd(46)} ${text}`);

function show(rounds: readonly Round[], { plainBytes }: Manifest): void {
  const ours = rounds.map(({ clientSeconds }) => clientSeconds);
  const three = rounds.map((each) => each.three.seconds);
  const apart = rounds.map((each) => each.apart.seconds);
  const single = rounds.map((each) => each.single.seconds);
  line('database', `${(plainBytes / 1e6).toFixed(0)} MB, ${rounds.length} alternating rounds`);
  line('runbook: no read answered by any member', told(ours));
  line('runbook: downtimeSeconds of report.json', told(rounds.map(({ report }) => report.downtimeSeconds ?? Number.NaN)));
  line(
    'etcdutl + etcd, three members at once',
    `${told(three)}; etcdutl ${median(rounds.map((each) => each.three.etcdutlSeconds)).toFixed(2)} s`,
  );
  line('etcdutl + etcd, three members a second apart', told(apart));
  line(
    'etcdutl + etcd, a single member',
    `${told(single)}; etcdutl ${median(rounds.map((each) => each.single.etcdutlSeconds)).toFixed(2)} s`,
  );
  line('ratio against three members (the same work)', (median(ours) / median(three)).toFixed(2));
  line('ratio against three members a second apart', (median(ours) / median(apart)).toFixed(2));
  line('ratio against a single member', (median(ours) / median(single)).toFixed(2));
  console.log('phases of the runbook, medians:');
  for (const { state } of rounds[0]?.report.phases ?? []) {
    const seconds = rounds.map(({ report }) => report.phases.find((phase) => phase.state === state)?.seconds ?? 0);
    console.log(`  ${state.padEnd(18)} ${median(seconds).toFixed(2).padStart(7)} s`);
  }
  const totals = rounds.map(({ report: { phases } }) => phases.reduce((sum, { seconds }) => sum + seconds, 0));
  console.log(`  ${'together'.padEnd(18)} ${median(totals).toFixed(2).padStart(7)} s, without the wait for a person`);
  const rounded = (value: number) => Number(value.toFixed(2));
  console.log(JSON.stringify({ downtimeRatio: rounded(median(ours) / median(three)), downtimeSeconds: rounded(median(ours)) }));
}

async function compare(cloud: LocalCloud, nodes: LocalNodes, size: number, runs: number, folder: string): Promise<void> {
  const seeded = await seedKubernetesData(nodes, { megabytes: size });
  console.error(`seeded ${seeded.objects} objects in ${seeded.seconds.toFixed(0)} s`);
  const lifeboat = await deployLifeboat(cloud, { endpoints: nodes.endpoints, maxDbSizeGiB: Math.ceil(size / 900) });
  await lifeboat.putSecret(nodes.credentials);
  const answer = await lifeboat.takeSnapshot();
  if (answer.outcome === 'failed') throw new Error(`take-snapshot failed with ${answer.error.name}: ${answer.error.message}`);
  const manifest = (await lifeboat.snapshots()).at(-1);
  if (manifest?.verified !== true) throw new Error('the snapshot is not verified');
  const { plain } = await fetchPlain(cloud, lifeboat.bucket, manifest, folder);
  const rounds: Round[] = [];
  for (let index = 0; index < runs; index++) {
    const one = await round(lifeboat, nodes, manifest.id, plain);
    rounds.push(one);
    console.error(
      `round ${index + 1}: ${one.clientSeconds.toFixed(2)} s against ${one.three.seconds.toFixed(2)} s on three members, ${one.apart.seconds.toFixed(2)} s on three a second apart, ${one.single.seconds.toFixed(2)} s on one`,
    );
  }
  show(rounds, manifest);
}

async function main(): Promise<void> {
  const { size, runs } = benchOptions(
    'bench:restore',
    'Times how long the runbook leaves a cluster without etcd, against etcdutl snapshot restore and a start of etcd.',
  );
  const folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-bench-'));
  const cloud = await startLocalCloud({ faultProxy: false, schedules: false });
  try {
    const nodes = await startLocalNodes({ cloud });
    try {
      await compare(cloud, nodes, size, runs, folder);
    } finally {
      await nodes.stop();
    }
  } finally {
    await cloud.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
