import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SyncReport } from '../../lambdas/dns/sync-record';
import { startBalancer } from '../balancer';
import { startLocalCloud } from '../cloud';
import type { LocalCloud } from '../cloud';
import type { Deployment } from '../deployment';
import { makeLoadBalancer } from '../dns/load-balancer';
import { startNameProxy } from '../dns/name-proxy';
import { createZone } from '../dns/zone';
import type { LocalZone } from '../dns/zone';
import { freePort } from '../free-port';
import { Kubectl } from '../kubectl';
import type { Narrator } from '../narrator';
import { startLocalNodes } from '../nodes';
import type { LocalNode, LocalNodes } from '../nodes';
import { realKubernetes } from '../tools';
import { deployStep } from './first-steps';
import type { TourOptions } from './tour';

export const DNS_STEPS = 12;
const ZONE = 'k8s.lifeboat.example';
const NAME = `api.${ZONE}`;
const BALANCER_HOST = '127.0.1.10';
const MINUTE_MS = 60_000;

interface World {
  readonly cloud: LocalCloud;
  readonly nodes: LocalNodes;
  readonly zone: LocalZone;
  readonly apiPort: number;
}

/** The fourth guided tour: the API's name follows the nodes that answer, then a balancer, and never leads to nothing. */
export async function dnsTour(narrator: Narrator, { stopped }: TourOptions): Promise<void> {
  const closing: (() => Promise<void>)[] = [];
  try {
    narrator.title('kube-lifeboat: the name of the API, here on your machine');
    const world = await begin(narrator, closing);
    const { cloud, nodes, zone, apiPort } = world;
    const api = (target: object) => ({ name: NAME, zoneId: zone.id, visibility: 'private', port: apiPort, target });
    const lifeboat = await deployStep(narrator, cloud, nodes, { api: api({ healthyNodes: true }) });
    for (const node of nodes.nodes) await node.apiserverReady();
    stopped.throwIfAborted();

    narrator.title('The name is made, and leads to every API server that answers with a certificate for it');
    await look(narrator, world, lifeboat, 'the first look');
    await dig(
      narrator,
      world,
      'addresses that dig finds',
      nodes.nodes.map(({ host }) => host),
    );
    await kubectlByName(narrator, world, closing);

    narrator.title('A master dies. One look is not believed; with the second it is out');
    const [first] = nodes.nodes;
    if (first !== undefined) await dieAndComeBack(narrator, world, lifeboat, first);
    stopped.throwIfAborted();

    narrator.title('Somebody else changes the record');
    await zone.unprotect(NAME);
    await zone.change('UPSERT', { Name: NAME, Type: 'A', TTL: 300, ResourceRecords: [{ Value: '192.0.2.66' }] });
    await dig(narrator, world, 'until the next minute dig finds', ['192.0.2.66']);
    const healed = await look(narrator, world, lifeboat, 'the next look');
    narrator.check(
      'it says',
      `${healed.because}: ${healed.message}`,
      `drifted: A 192.0.2.66 → A ${nodes.nodes.map(({ host }) => host).join(', ')}`,
    );
    const asked = await look(narrator, world, lifeboat, 'and the one after it, when CloudTrail knows');
    narrator.check(
      'it was',
      asked.changedBy.map(({ who, what }) => `${who}: ${what}`).join('; '),
      `arn:aws:iam::${cloud.accountId}:root: UPSERT A 192.0.2.66`,
    );
    stopped.throwIfAborted();

    narrator.title('A balancer is put in front, and lifeboat.json names it');
    const arn = await putBalancer(narrator, world, closing);
    const again = await deployStep(narrator, cloud, nodes, { api: api({ loadBalancerArn: arn }) });
    await look(narrator, world, again, 'the next look');
    await dig(narrator, world, 'dig finds the balancer', [BALANCER_HOST]);
    narrator.check('of the hosted zone, records that are not of this name', (await foreign(zone)).length, 0);
  } finally {
    for (const close of closing) await close();
  }
}

async function begin(narrator: Narrator, closing: (() => Promise<void>)[]): Promise<World> {
  const cloud = await narrator.run(
    'start a local cloud',
    () => startLocalCloud({ schedules: false }),
    ({ endpoint }) => endpoint,
  );
  closing.unshift(() => cloud.stop());
  const zone = await narrator.run(
    `make a private hosted zone ${ZONE}`,
    () => createZone(cloud.clientConfig(), ZONE, 'private'),
    ({ id }) => `${id}, answered at ${cloud.names.inside}`,
  );
  const kubernetes = realKubernetes() ? 'real' : 'pretended';
  const apiPort = await freePort('127.0.1.1');
  const nodes = await narrator.run(
    'start three control-plane nodes',
    () => startLocalNodes({ cloud, kubernetes, apiPort, controlPlane: { host: NAME, port: apiPort } }),
    ({ release }) =>
      `etcd ${release} and ${kubernetes === 'real' ? 'Kubernetes' : 'stand-ins for Kubernetes'}; their certificates carry ${NAME}`,
  );
  closing.unshift(() => nodes.stop());
  return { cloud, nodes, zone, apiPort };
}

/** A run as its schedule starts it, a minute after the one before. */
function look(narrator: Narrator, { cloud }: World, { syncApiRecordFunction = '' }: Deployment, what: string): Promise<SyncReport> {
  return narrator.run(
    what,
    async () => {
      cloud.clock.advance(MINUTE_MS);
      const answer = await cloud.invoke(syncApiRecordFunction);
      if (answer.outcome === 'failed') throw new Error(`sync-api-record failed with ${answer.error.name}: ${answer.error.message}`);
      return answer.result as SyncReport;
    },
    ({ action, because, answers }) => `${action}, ${because}; the name ${answers ? 'answers' : 'does not answer'}`,
  );
}

async function dig(narrator: Narrator, { cloud }: World, what: string, expected: readonly string[]): Promise<void> {
  const lines = await cloud.names.dig(NAME);
  for (const line of lines) narrator.say(`      ${line}`);
  narrator.check(what, lines.map((line) => line.split(' ').at(-1)).join(' '), expected.join(' '));
}

async function dieAndComeBack(narrator: Narrator, world: World, lifeboat: Deployment, node: LocalNode): Promise<void> {
  const others = world.nodes.nodes.filter((each) => each !== node).map(({ host }) => host);
  await node.powerOff();
  const first = await look(narrator, world, lifeboat, `${node.name} is dead, the first look`);
  narrator.check('what it does', first.action, 'none');
  await look(narrator, world, lifeboat, 'the second look');
  await dig(narrator, world, `dig finds the others`, others);
  await node.reboot();
  await node.apiserverReady();
  await look(narrator, world, lifeboat, `${node.name} is back, the first look`);
  await look(narrator, world, lifeboat, 'the second look');
  await dig(
    narrator,
    world,
    'dig finds all three',
    world.nodes.nodes.map(({ host }) => host),
  );
}

/** Only where real Kubernetes was built: what stands in for it knows no objects. */
async function kubectlByName(narrator: Narrator, { cloud, nodes, apiPort }: World, closing: (() => Promise<void>)[]): Promise<void> {
  if (!realKubernetes()) return;
  const proxy = await startNameProxy(cloud.names);
  closing.unshift(() => proxy.stop());
  const kubeconfig = path.join(nodes.nodes[0]?.tree.kubernetesDir ?? '', 'admin.conf');
  const url = `https://${NAME}:${apiPort}`;
  const found = await new Kubectl(kubeconfig, url, { HTTPS_PROXY: proxy.url }).run(['get', '--raw', '/readyz']);
  narrator.check(`kubectl --server ${url} get --raw /readyz`, found.trim(), 'ok');
}

async function putBalancer(narrator: Narrator, { cloud, nodes, apiPort: port }: World, closing: (() => Promise<void>)[]): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-balancer-'));
  closing.push(() => {
    rmSync(folder, { recursive: true, force: true });
    return Promise.resolve();
  });
  const backends = nodes.nodes.map(({ name, host }) => ({ name, host, port }));
  const balancer = await startBalancer({ host: BALANCER_HOST, port, backends, folder });
  closing.unshift(() => balancer.stop());
  const { arn, dnsName } = await makeLoadBalancer(cloud.clientConfig(), { name: 'api', port, targets: backends.map(({ host }) => host) });
  cloud.names.balancer(dnsName, [BALANCER_HOST]);
  narrator.say(`      ${balancer.kind} at ${balancer.url}, known to the account as ${dnsName}`);
  return arn;
}

const foreign = async (zone: LocalZone): Promise<string[]> =>
  (await zone.records()).map(({ Name = '' }) => Name).filter((name) => ![`${NAME}.`, `a-${NAME}.`].includes(name));
