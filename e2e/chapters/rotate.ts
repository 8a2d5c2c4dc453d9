import { X509Certificate, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { servedCertificate } from '../../lambdas/ports/served-certificate';
import type { LocalNode } from '../../local/nodes';
import type { Narrator } from '../../local/narrator';
import { rotateNode } from '../../local/rotation';
import { NEW_NAME, adopt } from '../adopted';
import type { Chapter, Measured } from '../chapter';
import { leadersRenew } from '../leases';
import type { World } from '../world';

const WITHIN_MS = 120_000;
const ROUNDS = 2;

const fileOf = (node: LocalNode, file: string): string => readFileSync(path.join(node.tree.kubernetesDir, file), 'utf8');
const sha256 = (pem: string): string => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');

/** All leaves of all nodes, twice, under clients that never stop. */
export const rotateChapter: Chapter = {
  name: 'rotate',
  title: 'Every certificate of every node is exchanged, twice',
  steps: 2 + ROUNDS * 3,
  tell: async (narrator, world) => {
    const { cloud, lifeboat, nodes, kubectl, traffic } = world;
    await adopt(narrator, world);
    const began = Date.now();
    const before = nodes.nodes.map((node) => ({
      cert: fileOf(node, 'pki/apiserver.crt'),
      pids: [node.pid('kube-apiserver'), node.pid('etcd')],
    }));
    for (let round = 1; round <= ROUNDS; round++)
      for (const node of nodes.nodes)
        await narrator.run(`rotate ${node.name}, round ${round}`, () => rotateNode(cloud, lifeboat.cluster, node));
    await narrator.run('controllers renew their leases', () => leadersRenew(kubectl, WITHIN_MS));

    const seen = traffic.since(began);
    narrator.check('requests that failed meanwhile', seen.failedRequests, 0);
    for (const [index, node] of nodes.nodes.entries()) await isNew(narrator, world, node, before[index]);
    await knowsTheNewName(narrator, world);
    await administratorsGetIn(narrator, world);
    return { requests: seen.requests, failedRequests: seen.failedRequests, slowestSeconds: seen.slowestSeconds } satisfies Measured;
  },
};

async function isNew(
  narrator: Narrator,
  { nodes }: World,
  node: LocalNode,
  before: { readonly cert: string; readonly pids: readonly (number | undefined)[] } | undefined,
): Promise<void> {
  const now = fileOf(node, 'pki/apiserver.crt');
  const { hostname, port } = new URL(node.apiUrl);
  const served = await servedCertificate({ host: hostname, port: Number(port), ca: nodes.authorities.cluster.cert });
  narrator.check(`${node.name} serves what lies in its file, which is new`, served.sha256 === sha256(now) && now !== before?.cert, true);
  const same = before?.pids[0] === node.pid('kube-apiserver') && before?.pids[1] === node.pid('etcd');
  narrator.check(`kube-apiserver and etcd of ${node.name} were not started again`, same, true);
}

/** A name that the first certificates did not have: of a balancer that came later. */
async function knowsTheNewName(narrator: Narrator, { balancer, nodes }: World): Promise<void> {
  const { hostname, port } = new URL(balancer.url);
  const { accepted, because } = await servedCertificate({
    host: hostname,
    port: Number(port),
    ca: nodes.authorities.cluster.cert,
    serverName: NEW_NAME,
    path: '/livez',
  });
  narrator.check(`the API is itself by the name ${NEW_NAME}, through the balancer`, accepted || because, true);
}

async function administratorsGetIn(narrator: Narrator, { eachApiserver }: World): Promise<void> {
  for (const { name, kubectl } of eachApiserver)
    narrator.check(`admin.conf, which is new, lets kubectl in at ${name}`, (await kubectl.run(['auth', 'can-i', '*', '*'])).trim(), 'yes');
}
