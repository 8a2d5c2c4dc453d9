import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { signingIn } from '../lambdas/authorities/trust';
import type { AuthorityName } from '../lambdas/contract/certificate-names';
import type { AuthoritySecret } from '../lambdas/contract/certificates';
import { parseBundle } from '../lambdas/pki/bundle';
import { inspect } from '../lambdas/pki/inspect';
import { isSignedBy } from '../lambdas/pki/signed-by';
import { acceptableAuthorities } from '../lambdas/ports/acceptable-authorities';
import { servedCertificate } from '../lambdas/ports/served-certificate';
import { isHealthy } from '../local/etcd/member';
import type { Kubectl } from '../local/kubectl';
import type { LocalNode } from '../local/nodes';
import type { Narrator } from '../local/narrator';
import { authorityOf } from './run-exchange';
import { TRAFFIC_NAMESPACE } from './traffic';
import type { World } from './world';

const ConfigMaps = z.object({
  items: z.array(z.object({ metadata: z.object({ namespace: z.string() }), data: z.record(z.string(), z.string()) })),
});

export const fileOf = (node: LocalNode, file: string): string => readFileSync(path.join(node.tree.kubernetesDir, file), 'utf8');
const portOf = (url: string): { readonly host: string; readonly port: number } => {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
};

/** The certificates of a bundle, by what makes them one. */
export const idsIn = (pem: string | undefined): string =>
  parseBundle(pem ?? '')
    .map((each) => inspect(each).sha256)
    .join();

/** Now and as its secret says. @throws when nothing of it signs, or its key is away */
export function signerOf(document: AuthoritySecret): { readonly id: string; readonly cert: string; readonly key: string } {
  const { id, certificate, key } = signingIn(document) ?? {};
  if (id === undefined || certificate === undefined || key === undefined)
    throw new Error(`nothing of the ${document.authority} authority signs`);
  return { id, cert: certificate, key };
}

/** What follows the leaf at a port, PEM. */
export const chainServedAt = async (url: string): Promise<readonly string[]> => (await acceptableAuthorities(portOf(url))).chain;

/** In which namespaces pods are given something else than one root, and how many there are. */
export async function publishedOtherwise(
  kubectl: Kubectl,
  root: string,
): Promise<{ readonly others: readonly string[]; readonly count: number }> {
  const { items } = ConfigMaps.parse(
    await kubectl.json(['get', 'configmaps', '--all-namespaces', '--field-selector', 'metadata.name=kube-root-ca.crt']),
  );
  const others = items.filter(({ data }) => idsIn(data['ca.crt']) !== root).map(({ metadata }) => metadata.namespace);
  return { others, count: items.length };
}

/** What the cluster publishes and its API servers serve: the generation that signs, and no other. */
export async function checkCluster(
  narrator: Narrator,
  { nodes, balancer, kubectl, eachApiserver }: World,
  next: { cert: string; id: string },
) {
  for (const [place, url] of [['the balancer', balancer.url], ...nodes.nodes.map(({ name, apiUrl }) => [name, apiUrl])] as [
    string,
    string,
  ][]) {
    const { accepted, because } = await servedCertificate({ ...portOf(url), ca: next.cert, path: '/livez' });
    narrator.check(`${place} serves a certificate by the root that signs`, accepted || because, true);
  }
  const { others, count } = await publishedOtherwise(kubectl, next.id);
  narrator.check(`kube-root-ca.crt of ${count} namespaces has that root alone`, others.join(), '');
  const info = await kubectl.run(['get', 'configmap', 'cluster-info', '--namespace', 'kube-public', '-o', 'jsonpath={.data.kubeconfig}']);
  const told = /certificate-authority-data: *(\S+)/.exec(info)?.[1] ?? '';
  narrator.check('cluster-info has it alone', idsIn(Buffer.from(told, 'base64').toString('utf8')), next.id);
  for (const { name, kubectl: each } of eachApiserver) {
    await each.run(['annotate', 'configmap', 'counter', '--namespace', TRAFFIC_NAMESPACE, '--overwrite', `exchanged=${name}`]);
    const read = ['get', 'configmap', 'counter', '--namespace', TRAFFIC_NAMESPACE, '-o', 'jsonpath={.metadata.annotations.exchanged}'];
    narrator.check(`admin.conf writes and reads at ${name}`, await each.run(read), name);
  }
}

/** What API servers tell those who extend them: what they trust themselves, and nothing of before. */
export async function checkAuthentication(narrator: Narrator, { kubectl }: World, key: string, next: { id: string }): Promise<void> {
  const read = ['get', 'configmap', 'extension-apiserver-authentication', '--namespace', 'kube-system', '-o', `jsonpath={.data.${key}}`];
  narrator.check(`extension-apiserver-authentication has the root that signs alone as ${key}`, idsIn(await kubectl.run(read)), next.id);
}

/** Every member serves and trusts one generation, by leaves of it. */
export async function checkMembers(
  narrator: Narrator,
  { nodes }: World,
  { cert: ca, id }: { cert: string; id: string },
  chain: boolean | undefined,
) {
  for (const node of nodes.nodes) {
    const client = { cert: fileOf(node, 'pki/etcd/healthcheck-client.crt'), key: fileOf(node, 'pki/etcd/healthcheck-client.key') };
    const [, ...rest] = await chainServedAt(node.clientUrl);
    narrator.check(`${node.name} has one root of etcd`, idsIn(fileOf(node, 'pki/etcd/ca.crt')), id);
    const { accepted, because } = await servedCertificate({ ...portOf(node.clientUrl), ca, client });
    narrator.check(
      `etcd of ${node.name} serves a leaf by it${chain === undefined ? '' : chain ? ', with a cross certificate' : ', without a cross certificate'}`,
      accepted ? chain === undefined || rest.length > 0 === chain : because,
      true,
    );
    narrator.check(`etcd of ${node.name} is healthy`, await isHealthy(node.clientUrl, { ca, ...client }), true);
  }
}

/** Whether who trusts one root alone finds a way to it in what a port serves. */
export async function leadsTo(url: string, root: string): Promise<boolean> {
  return (await chainServedAt(url)).some((pem) => isSignedBy(pem, root));
}

/** From now on certificates for clients of this world, and for its nodes, are by the generations that sign now. */
export async function followAuthorities(world: World): Promise<void> {
  const { authorities, credentials, nodes } = world.nodes;
  const pairs = await Promise.all(
    (['etcd', 'cluster', 'front-proxy'] as const satisfies AuthorityName[]).map(async (name) => signerOf(await authorityOf(world, name))),
  );
  const [etcd, cluster, frontProxy] = pairs.map(({ cert, key }) => ({ cert, key }));
  Object.assign(authorities, { etcd, cluster, frontProxy });
  const [node] = nodes;
  if (node === undefined || etcd === undefined) return;
  const read = (ends: string): string => fileOf(node, `pki/etcd/healthcheck-client.${ends}`);
  Object.assign(credentials, { ca: etcd.cert, cert: read('crt'), key: read('key') });
}
