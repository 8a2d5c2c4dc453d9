import { z } from 'zod';
import type { Telemetry } from '../backup/edges';
import { AuthorityName } from '../contract/certificate-names';
import type { NodeSetSecret } from '../contract/certificates';
import { nodeSecretName } from '../contract/certificates';
import { RepairRequest } from '../contract/repair-certificates';
import type { RepairPlan, RepairedNode } from '../contract/repair-certificates';
import { NodeEnd, RestoreId, RunbookNode } from '../contract/restore';
import type { EtcdClientSecret } from '../contract/secrets';
import { shortId } from '../contract/short-id';
import { printBundle } from '../pki/bundle';
import { inspect } from '../pki/inspect';
import { issueLeaf } from '../pki/issue';
import { PROFILES } from '../pki/profiles';
import type { RegisteredNode } from '../nodes/ssm-nodes';
import { judgements } from './adopt';
import type { CertificateSettings } from './adopt';
import { setSha256Of } from './archive';
import { clusterPlaceOf } from './cluster-place';
import { RepairRefused } from './errors';
import { daysLeft } from './judge-leaf';
import { heardNodes } from './hear-nodes';
import { mintSet } from './minted-set';
import { accountKeys, signingAuthorities } from './signing-authorities';
import type { SigningAuthorities, SigningAuthority } from './signing-authorities';
import type { PkiSecrets } from './take-over';
import type { ToldNode } from './told-node';

export const FindForRepair = z.object({ do: z.literal('find'), input: z.unknown(), execution: RestoreId });
const Found = z.object({ request: RepairRequest, restoreId: RestoreId, lock: z.literal('control-plane'), asked: z.array(RunbookNode) });
export const MintForRepair = z.object({ do: z.literal('mint'), found: Found.extend({ facts: z.array(NodeEnd) }) });

export interface RepairEdges {
  readonly cluster: string;
  readonly registered: () => Promise<readonly RegisteredNode[]>;
  readonly pki: Pick<PkiSecrets, 'authority' | 'serviceAccounts'>;
  /** Puts a set into the secret of a node as its current value; the id of the version. @throws StoreFailed */
  readonly putSet: (secretName: string, set: NodeSetSecret) => Promise<string>;
  /** The client certificate by which the functions reach etcd; undefined when it cannot be read. */
  readonly etcdClient: () => Promise<EtcdClientSecret | undefined>;
  readonly putEtcdClient: (secret: EtcdClientSecret) => Promise<void>;
  readonly telemetry: Pick<Telemetry, 'log' | 'warn'>;
  readonly now: () => Date;
}

/** So long the etcd and the API servers of an expired cluster may take to find each other again, seconds. */
const WAIT_SECONDS = '180';

/** @throws RepairRefused naming the nodes that are not of this control plane */
export async function findForRepair(
  { registered }: Pick<RepairEdges, 'registered'>,
  request: RepairRequest,
  restoreId: string,
): Promise<z.infer<typeof Found>> {
  const all = (await registered()).map(({ instanceId, host }) => ({ instanceId, host }));
  const strangers = (request.nodes ?? []).filter((id) => !all.some(({ instanceId }) => instanceId === id));
  if (strangers.length > 0)
    throw new RepairRefused(`${strangers.join(', ')} is no control-plane node that systems manager knows: tag it, or leave it out`);
  if (all.length === 0)
    throw new RepairRefused('systems manager knows no control-plane node: tag the instances, and see that their SSM agents run');
  return { request, restoreId, lock: 'control-plane', asked: all };
}

/**
 * Mints a whole set for every node that needs one, and puts it where the node finds it. It asks neither the Kubernetes API nor etcd, and no
 * certificate has to be valid: the authorities lie in Secrets Manager, and nodes are reached by Systems Manager.
 *
 * @throws RepairRefused when the authorities were never adopted, or are not those of the nodes
 */
export async function mintForRepair(
  edges: RepairEdges,
  settings: CertificateSettings,
  { facts, ...found }: z.infer<typeof MintForRepair>['found'],
): Promise<object> {
  const { request } = found;
  const { told, silent } = await heardNodes(facts);
  const authorities = await signingAuthorities(edges.pki, '');
  if (authorities.cluster?.key === undefined)
    throw new RepairRefused(
      'the key of the cluster authority is not in its secret: adopt the cluster first, which needs no API either; an external CA is renewed by its owner',
    );
  const verdicts = judgements(told, settings, edges.now());
  const left: RepairPlan['left'] = silent.map(({ instanceId, host, error, outcome, because }) => ({
    instanceId,
    host,
    because: `${error ?? outcome}, ${because ?? 'nothing is known'}`,
  }));
  const nodes: RepairedNode[] = [];
  for (const node of told) {
    const { instanceId, host } = node;
    const wrong = (verdicts.get(instanceId) ?? []).flatMap(({ action, leaf, message }) =>
      action === 'renew' ? [`${leaf}: ${message}`] : [],
    );
    if (request.nodes !== undefined && !request.nodes.includes(instanceId)) left.push({ instanceId, host, because: 'it was left out' });
    else if (wrong.length === 0 && !request.force) left.push({ instanceId, host, because: 'all its certificates do their work' });
    else nodes.push(await mintFor(edges, settings, node, told, wrong));
  }
  const etcdClient = await renewEtcdClient(edges, settings, authorities.etcd);
  return { ...found, planned: { plan: { nodes, left, etcdClient } satisfies RepairPlan } };
}

async function mintFor(
  { cluster, pki, putSet, telemetry, now }: RepairEdges,
  { leafValidityDays, api }: CertificateSettings,
  node: ToldNode,
  told: readonly ToldNode[],
  because: string[],
): Promise<RepairedNode> {
  const [authorities, accounts] = await Promise.all([signingAuthorities(pki, node.host), accountKeys(pki)]);
  refuseOthers(node, authorities);
  const kubelet = node.leaves.get('kubelet.conf');
  const forKubelet = kubelet === 'unparsable' || (kubelet !== undefined && kubelet.view.notAfter <= now());
  const set = await mintSet({ node, cluster: clusterPlaceOf(told, api), authorities, accounts, leafValidityDays, now: now(), forKubelet });
  const secretId = nodeSecretName(cluster, node.instanceId);
  const secretVersion = await putSet(secretId, set);
  telemetry.log('set-minted', { host: node.host, secret: secretId, version: secretVersion, leaves: set.certificates.length });
  const parameters = { secretId, secretVersion, setSha256: setSha256Of(set.archive), waitSeconds: WAIT_SECONDS };
  return { instanceId: node.instanceId, host: node.host, parameters, because };
}

/** What another authority signs no node would accept. @throws RepairRefused */
function refuseOthers(node: ToldNode, authorities: SigningAuthorities): void {
  for (const name of AuthorityName.options) {
    const told = node.authorities.get(name);
    const held = authorities[name];
    if (told === undefined || told === 'unparsable' || held?.key === undefined) continue;
    if (told.some(({ view }) => view.sha256 === held.id)) continue;
    throw new RepairRefused(
      `the ${name} authority of ${node.host} is ${told.map(({ view }) => shortId(view.sha256)).join(', ')}, and its secret has ${shortId(held.id)}: put the certificate of the secret on the node, or empty the secret and adopt again`,
    );
  }
}

/** The functions' own certificate ends like any other; without it nobody sees afterwards whether etcd is well. */
async function renewEtcdClient(
  { etcdClient, putEtcdClient, now }: RepairEdges,
  { renewBeforeDays, leafValidityDays }: CertificateSettings,
  authority: SigningAuthority | undefined,
): Promise<RepairPlan['etcdClient']> {
  const present = await etcdClient();
  if (present === undefined || authority?.key === undefined) return 'unknown';
  const days = daysLeft(inspect(present.cert).notAfter, now());
  if (days > Math.min(renewBeforeDays, 7)) return 'kept';
  await putEtcdClient(newEtcdClient({ ...authority, key: authority.key }, leafValidityDays, now()));
  return 'renewed';
}

/** The functions' own client for etcd. */
export function newEtcdClient(
  { certificate, key: signingKey, chain, trusted }: SigningAuthority & { readonly key: string },
  leafValidityDays: number,
  now: Date,
): EtcdClientSecret {
  const notAfter = new Date(now.getTime() + leafValidityDays * 86_400_000);
  const profile = { ...PROFILES['apiserver-etcd-client']({ nodeName: 'lifeboat' }), subject: { commonName: 'lifeboat' } };
  const { cert, key } = issueLeaf({ cert: certificate, key: signingKey }, profile, { notAfter, now });
  return { ca: printBundle(trusted), cert: printBundle([cert, ...chain]), key };
}
