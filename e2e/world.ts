import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startBalancer } from '../local/balancer';
import type { Balancer } from '../local/balancer';
import { startLocalCloud } from '../local/cloud';
import type { LocalCloud, Topic } from '../local/cloud';
import { deployStep } from '../local/demo/first-steps';
import type { Deployment } from '../local/deployment';
import { issueCertificate } from '../local/etcd/certificates';
import { Kubectl } from '../local/kubectl';
import type { Narrator } from '../local/narrator';
import { startLocalNodes } from '../local/nodes';
import type { LocalNodes } from '../local/nodes';
import { portOn } from '../local/nodes/addresses';
import { NEW_NAME } from './adopted';
import type { ApiCredentials } from './api-client';
import { makeTopic } from './people';
import { TRAFFIC_NAMESPACE, startTraffic } from './traffic';
import type { Traffic } from './traffic';
import { configMap, makeWorkload } from './workload';

export const WORLD_STEPS = 4;
const BALANCER_HOST = '127.0.1.10';
/** Certificates of local nodes live for thirty days. */
const CERTIFICATES = { leafValidityDays: 60, renewBeforeDays: 20, extraSans: [NEW_NAME] };

export interface WorldOptions {
  /** Which members each API server knows. */
  readonly etcdServers: 'own' | 'all';
  readonly balancer?: Balancer['kind'];
  /** By what the waits of state machines are multiplied. */
  readonly waitScale: number;
}

/** Three control-plane nodes of real Kubernetes behind a balancer, the deployed app that looks after them, and clients that never stop. */
export interface World {
  readonly cloud: LocalCloud;
  readonly nodes: LocalNodes;
  readonly balancer: Balancer;
  readonly lifeboat: Deployment;
  /** An administrator, through the balancer. */
  readonly kubectl: Kubectl;
  /** The same user at each API server. */
  readonly eachApiserver: readonly { readonly name: string; readonly kubectl: Kubectl }[];
  readonly traffic: Traffic;
  /** What the lifeboat tells them. */
  readonly people: Topic;
  /** Of a client of its own. */
  credentials(): ApiCredentials;
  readonly folder: string;
}

/** Brings the world up, lets `work` use it, and takes it down again, whatever happens. */
export async function withWorld<T>(narrator: Narrator, options: WorldOptions, work: (world: World) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-e2e-'));
  const closing: (() => Promise<void>)[] = [];
  try {
    return await work(await begin(narrator, options, folder, closing));
  } finally {
    for (const close of closing) await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function begin(narrator: Narrator, options: WorldOptions, folder: string, closing: (() => Promise<void>)[]): Promise<World> {
  const cloud = await narrator.run(
    'start a local cloud',
    () => startLocalCloud({ schedules: false, waitScale: options.waitScale }),
    ({ endpoint }) => endpoint,
  );
  closing.unshift(() => cloud.stop());
  const { nodes, balancer } = await narrator.run(
    'start three control planes and a balancer',
    () => startControlPlanes(cloud, options, folder, closing),
    (started) => `${started.balancer.url} (${started.balancer.kind}) for ${started.nodes.nodes.map(({ apiUrl }) => apiUrl).join(', ')}`,
  );
  const kubeconfig = path.join(nodes.nodes[0]?.tree.kubernetesDir ?? '', 'admin.conf');
  const kubectl = new Kubectl(kubeconfig);
  await narrator.run('make namespaces, deployments, secrets … by kubectl', () => makeTraffic(kubectl));
  const credentials = (): ApiCredentials => ({
    ca: nodes.authorities.cluster.cert,
    ...issueCertificate(nodes.authorities.cluster, { commonName: 'e2e', organization: 'kubeadm:cluster-admins', usage: 'client' }),
  });
  const traffic = startTraffic({ url: balancer.url, credentials: credentials(), log: path.join(folder, 'failed-requests.jsonl') });
  closing.unshift(() => traffic.stop());
  const people = await makeTopic(cloud);
  const lifeboat = await deployStep(narrator, cloud, nodes, { certificates: CERTIFICATES, alarms: { topicArn: people.arn } });
  const eachApiserver = nodes.nodes.map(({ name, apiUrl }) => ({ name, kubectl: kubectl.at(apiUrl) }));
  return { cloud, nodes, balancer, lifeboat, kubectl, eachApiserver, traffic, people, credentials, folder };
}

async function startControlPlanes(cloud: LocalCloud, options: WorldOptions, folder: string, closing: (() => Promise<void>)[]) {
  const controlPlane = { host: BALANCER_HOST, port: await portOn(BALANCER_HOST, 6443, 'standard') };
  const nodes = await startLocalNodes({ cloud, kubernetes: 'real', ports: 'standard', controlPlane, etcdServers: options.etcdServers });
  closing.unshift(() => nodes.stop());
  const backends = nodes.nodes.map(({ name, host, apiUrl }) => ({ name, host, port: Number(new URL(apiUrl).port) }));
  const balancer = await startBalancer({ ...controlPlane, backends, folder, ...(options.balancer && { kind: options.balancer }) });
  closing.unshift(() => balancer.stop());
  return { nodes, balancer };
}

async function makeTraffic(kubectl: Kubectl): Promise<void> {
  await makeWorkload(kubectl, [TRAFFIC_NAMESPACE]);
  await kubectl.apply([configMap(TRAFFIC_NAMESPACE, 'counter', { count: '0' })]);
}
