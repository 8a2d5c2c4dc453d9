import { newEtcdClient } from '../certificates/repair';
import { signingFor } from '../certificates/signing-authorities';
import { nodeSecretName } from '../contract/certificates';
import type { Exchangeable } from '../contract/certificate-names';
import type { AuthoritySecret } from '../contract/certificates';
import { messageOf } from '../contract/lifeboat-error';
import type { RunbookNode } from '../contract/restore';
import type { ExchangeState } from '../contract/rotate-authority';
import { parseBundle, printBundle } from '../pki/bundle';
import { isSignedBy } from '../pki/signed-by';
import type { ExchangeEdges } from './edges';

type DistributeEdges = Pick<
  ExchangeEdges,
  'cluster' | 'settings' | 'stamps' | 'rotate' | 'enrol' | 'lockedBy' | 'etcdClient' | 'putEtcdClient' | 'now' | 'telemetry'
>;

/** A rotation has ended by then, whatever became of it: the function that works on it has 15 minutes. */
export const ROTATION_SECONDS = 960;
/**
 * By then it has asked the node what it is, and holds the lock while it works on it: when nobody holds that, it has failed or waits for nobody. Asking
 * for one that goes on all the same does no harm, since each of its steps can be repeated.
 */
const LOCKED_BY_SECONDS = 180;
/** One that was under way before or was refused has not begun. */
const NOT_BEGUN_SECONDS = 60;

type Rotating = NonNullable<ExchangeState['rotating']>;

/**
 * Brings one node after the other to what the document says: its set is rotated by Secrets Manager, with all proofs of a rotation of leaves. The first
 * place that distrusts goes first.
 *
 * @returns who is waited for; undefined when every node has what it is to have
 */
export async function distribute(
  edges: DistributeEdges,
  document: AuthoritySecret,
  state: Pick<ExchangeState, 'asked' | 'rotating'>,
): Promise<Rotating | undefined> {
  await ownClient(edges, document);
  const { authority, rotation } = document;
  const sorted = [...state.asked].sort((one, other) => rank(one, rotation?.canary) - rank(other, rotation?.canary));
  return bring(edges, authority, (host) => signingFor(document, host)?.stamp, { ...state, asked: sorted });
}

/**
 * Brings one node after the other to what is distributed now, in the order of `asked`.
 *
 * @param wanted the stamp that the set of a node is to have, by its host
 * @returns who is waited for; undefined when every node has what it is to have
 */
export async function bring(
  edges: Pick<DistributeEdges, 'cluster' | 'stamps' | 'rotate' | 'enrol' | 'lockedBy' | 'now' | 'telemetry'>,
  exchanged: Exchangeable,
  wanted: (host: string) => string | undefined,
  { asked, rotating }: Pick<ExchangeState, 'asked' | 'rotating'>,
): Promise<Rotating | undefined> {
  const stamps = await edges.stamps(asked.map((node) => secretOf(edges, node)));
  const behind = asked.find((node) => {
    const has = stamps.find(({ secretId }) => secretId === secretOf(edges, node));
    // A set that was installed and never became the current one is on the node, whatever the current one is.
    return has?.waits === true || has?.stamps?.[exchanged] !== wanted(node.host);
  });
  if (behind === undefined) return undefined;
  const now = Math.floor(edges.now().getTime() / 1_000);
  if (rotating?.host === behind.host && (await mayGoOn(edges, now - rotating.at))) return rotating;
  const { begun, because } = await askFor(edges, behind);
  const at = begun ? now : now - LOCKED_BY_SECONDS + NOT_BEGUN_SECONDS;
  return { host: behind.host, at, ...(because !== undefined && { because }) };
}

/** Whether a rotation that was asked for so many seconds ago may still be under way. */
const mayGoOn = async ({ lockedBy }: Pick<DistributeEdges, 'lockedBy'>, seconds: number): Promise<boolean> =>
  seconds < LOCKED_BY_SECONDS || (seconds < ROTATION_SECONDS && (await lockedBy()) !== undefined);

/** Asks for the rotation of a node's set; one that joined since the adoption gets a secret first. What cannot be asked for is told, and tried again. */
async function askFor(
  edges: Pick<DistributeEdges, 'cluster' | 'rotate' | 'enrol' | 'telemetry'>,
  node: RunbookNode,
): Promise<{ readonly begun: boolean; readonly because?: string }> {
  const { host } = node;
  try {
    const asked = await edges.rotate(secretOf(edges, node));
    if (asked === 'not-enrolled') await edges.enrol([node]);
    edges.telemetry.log('rotation-asked', { host, asked });
    return { begun: asked === 'begun' };
  } catch (error) {
    const because = messageOf(error);
    edges.telemetry.warn('rotation-refused', { host, because });
    return { begun: false, because };
  }
}

/**
 * Before its first rotation the secret of a node is empty, and nobody can ask the API by it; and one from before the last deployment may refuse whoever
 * looks at it now. What is waited for; undefined when all have one.
 *
 * @throws FunctionCallFailed when no secret can be made
 */
export async function firstSets(
  edges: Pick<DistributeEdges, 'cluster' | 'stamps' | 'rotate' | 'enrol' | 'telemetry'>,
  nodes: readonly RunbookNode[],
): Promise<string | undefined> {
  const enrolled = await edges.enrol(nodes);
  if (enrolled.length > 0) edges.telemetry.log('nodes-enrolled', { enrolled });
  const found = await edges.stamps(nodes.map((node) => secretOf(edges, node)));
  const missing = nodes.filter((node) => found.find(({ secretId }) => secretId === secretOf(edges, node))?.stamps === null);
  const refused: string[] = [];
  for (const node of missing) refused.push(...[(await askFor(edges, node)).because ?? []].flat());
  if (missing.length === 0) return undefined;
  const what = `${missing.map(({ host }) => host).join(', ')} had no set of certificates from the lifeboat so far, and gets one`;
  return [what, ...refused].join(': ');
}

const secretOf = ({ cluster }: Pick<DistributeEdges, 'cluster'>, { instanceId }: RunbookNode): string =>
  nodeSecretName(cluster, instanceId);

const rank = ({ host }: RunbookNode, canary: string | undefined): number => (host === canary ? 0 : 1);

/** The functions themselves are clients of etcd. */
async function ownClient(
  { etcdClient, putEtcdClient, settings, now, telemetry }: DistributeEdges,
  document: AuthoritySecret,
): Promise<void> {
  if (document.authority !== 'etcd') return;
  // Nobody distrusts first here: as long as one member knows the old generation alone, both are shown.
  const signer = signingFor(document, '');
  const present = await etcdClient();
  if (signer?.key === undefined) return;
  const [leaf = '', ...chain] = parseBundle(present.cert);
  const fits =
    isSignedBy(leaf, signer.certificate) &&
    printBundle(chain) === printBundle(signer.chain) &&
    printBundle([present.ca]) === printBundle(signer.trusted);
  if (fits) return;
  await putEtcdClient(newEtcdClient({ ...signer, key: signer.key }, settings.leafValidityDays, now()));
  telemetry.log('etcd-client-renewed', { signer: signer.id, trusted: signer.trusted.length });
}
