import { trustedIn } from '../authorities/trust';
import { servingPorts, signsByItsOwn } from '../certificates/minted-set';
import type { ToldNode } from '../certificates/told-node';
import type { Exchangeable } from '../contract/certificate-names';
import { nodeSecretName } from '../contract/certificates';
import type { AuthoritySecret } from '../contract/certificates';
import type { AskedAccounts, ClusterTold, ClusterWrite } from '../contract/exchange-looks';
import { messageOf } from '../contract/lifeboat-error';
import type { RunbookNode } from '../contract/restore';
import type { Looks } from './cluster-seen';
import type { ExchangeEdges } from './edges';
import { portsToAsk } from './observe';

type LookEdges = Pick<ExchangeEdges, 'cluster' | 'lookAtPorts' | 'lookAtEtcd' | 'lookAtCluster' | 'tellCluster' | 'stamps' | 'telemetry'>;

/**
 * Looks at ports, etcd and the cluster's own API. What does not answer is missing, and keeps gates shut.
 *
 * @param document given: the cluster is told what is trusted by now, too
 */
export async function look(
  edges: LookEdges,
  told: readonly ToldNode[],
  authority: Exchangeable,
  asked: readonly RunbookNode[],
  document?: AuthoritySecret,
): Promise<Looks & Pick<ClusterTold, 'unclear'> & { readonly clusterBecause?: string }> {
  const failed = (what: string) => (error: unknown) => {
    edges.telemetry.log('not-seen', { what, because: messageOf(error) });
    return undefined;
  };
  const [ports, etcd, cluster] = await Promise.all([
    edges.lookAtPorts(portsToAsk(told, authority)).catch(failed('ports')),
    edges.lookAtEtcd().catch(failed('etcd')),
    lookAtApi(edges, told, asked, document).catch((error: unknown) => ({ because: messageOf(error) })),
  ]);
  const seen = { ports: ports ?? [], etcd };
  if (!('because' in cluster)) return { ...seen, ...cluster };
  failed('cluster')(cluster.because);
  return { ...seen, cluster: undefined, clusterBecause: cluster.because };
}

async function lookAtApi(
  edges: LookEdges,
  told: readonly ToldNode[],
  asked: readonly RunbookNode[],
  document: AuthoritySecret | undefined,
) {
  const place = await placeOf(edges, asked, apiServersOf(told));
  const write = document && writeOf(document, signerOf(told));
  if (write !== undefined) {
    const { written, unclear } = await edges.tellCluster(place, write);
    if (written.length > 0) edges.telemetry.log('cluster-told', { written });
    if (unclear !== undefined) return { cluster: await edges.lookAtCluster(place), unclear };
  }
  return { cluster: await edges.lookAtCluster(place) };
}

/** The API servers, each by the name of its node. */
export const apiServersOf = (told: readonly ToldNode[]): AskedAccounts['api'] =>
  told.flatMap((node) =>
    servingPorts(node).flatMap(({ leaf, host, port }) => (leaf === 'apiserver' ? [{ place: node.host, host, port }] : [])),
  );

/** By which files all of them sign: their own, under one path. */
export function signerOf(told: readonly ToldNode[]): ClusterWrite['signer'] {
  const files = told.flatMap(({ facts }) => facts.controllerManager.signingCertFile ?? []);
  const [certFile] = files;
  if (certFile === undefined || !told.every(({ facts }) => signsByItsOwn(facts)) || new Set(files).size > 1) return undefined;
  return { certFile, keyFile: certFile.replace(/\.crt$/, '.key') };
}

/** The first node that has a set has somebody who may ask. */
export async function placeOf<Api>(
  edges: Pick<LookEdges, 'cluster' | 'stamps'>,
  asked: readonly RunbookNode[],
  api: Api,
): Promise<{ readonly api: Api; readonly secretId: string }> {
  const stamps = await edges.stamps(asked.map(({ instanceId }) => nodeSecretName(edges.cluster, instanceId)));
  const first = stamps.find((each) => each.stamps !== null);
  if (first !== undefined) return { api, secretId: first.secretId };
  throw new Error('no node has a set of certificates in its secret yet: rotate one first (aws secretsmanager rotate-secret)');
}

/**
 * What the cluster is to tell its clients. cluster-info follows what is trusted; extension-apiserver-authentication follows the API servers by itself
 * and forgets nothing (pkg/controlplane/controller/clusterauthenticationtrust), so the generation that goes is taken out at the end.
 */
function writeOf(document: AuthoritySecret, signer: ClusterWrite['signer']): ClusterWrite | undefined {
  const { authority, rotation } = document;
  const { bundle } = trustedIn(document);
  const back = rotation?.abortRequested !== undefined;
  // Nothing is told of what was only minted; at the end of the way back it is taken out again.
  if (rotation?.state === 'MINTED' && !back) return undefined;
  const last = rotation?.state === (back ? 'MINTED' : 'DISTRUSTED');
  if (authority === 'cluster') return { clusterInfo: bundle, ...(signer && { signer }), ...(last && { clientCa: bundle }) };
  return authority === 'front-proxy' && last ? { requestHeaderCa: bundle } : undefined;
}
